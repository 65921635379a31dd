/** What must not stand in a source: the outside world in pure parts, unnumbered reminders, tests that switch off all others. */
import { partsOfSources } from "./check-imports.js";
import { importGraph } from "./import-graph.js";
import type { Repository, Violation } from "./repository.js";
import { identifier, parse, type SyntaxNode, walk } from "./syntax.js";
import { IMPORT_TABLE } from "./table.js";

const OBJECTS = new Set(["console", "Buffer", "process", "performance"]);
const FUNCTIONS = new Set(["setTimeout", "setInterval", "setImmediate", "queueMicrotask"]);
const CALLS = new Set(["Date.now", "Math.random"]);

/** Uses of clock, timers, randomness, console or Node's globals where the table says pure. */
export function checkPurity(repository: Repository, table = IMPORT_TABLE): readonly Violation[] {
  const violations: Violation[] = [];
  for (const [file, parts] of partsOfSources(importGraph(repository), table)) {
    if (!parts.some((part) => part.pure)) continue;
    walk(parse(file, repository.get(file) ?? ""), (node) => {
      const use = impureUse(node);
      if (use !== undefined) violations.push(`${file}: ${use} in a pure part`);
    });
  }
  return violations;
}

function impureUse(node: SyntaxNode): string | undefined {
  switch (node.type) {
    case "MemberExpression": {
      const object = identifier(node.object) ?? "";
      const call = `${object}.${identifier(node.property) ?? ""}`;
      return OBJECTS.has(object) || CALLS.has(call) ? call : undefined;
    }
    case "CallExpression": {
      const callee = identifier(node.callee) ?? "";
      return FUNCTIONS.has(callee) ? callee : undefined;
    }
    case "NewExpression": {
      const callee = identifier(node.callee);
      const withoutArguments = Array.isArray(node.arguments) && node.arguments.length === 0;
      return callee === "Date" && withoutArguments ? "new Date()" : undefined;
    }
    case "TSTypeReference":
      return identifier(node.typeName) === "Buffer" ? "Buffer" : undefined;
    default:
      return undefined;
  }
}

const REMINDER = /\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\)| #\d+)/;

/** Reminders without an issue number. */
export function checkReminders(repository: Repository): readonly Violation[] {
  const violations: Violation[] = [];
  for (const [file, text] of repository) {
    // The checks' own sources and tests have to say the words.
    if (!/\.tsx?$/.test(file) || file.startsWith("packages/tidy/")) continue;
    for (const [index, line] of text.split("\n").entries()) {
      const word = REMINDER.exec(line)?.[1];
      if (word !== undefined) violations.push(`${file}:${index + 1}: ${word} without an issue number`);
    }
  }
  return violations;
}

const TEST_FUNCTIONS = new Set(["test", "it", "describe", "suite", "bench"]);

/** `test.only` and its like, left behind after debugging: the rest of the file would silently not run. */
export function checkFocusedTests(repository: Repository): readonly Violation[] {
  const violations: Violation[] = [];
  for (const [file, text] of repository) {
    if (!/\.(test|bench)\.tsx?$/.test(file)) continue;
    walk(parse(file, text), (node) => {
      if (node.type !== "MemberExpression" || identifier(node.property) !== "only") return;
      const root = rootIdentifier(node.object);
      if (root !== undefined && TEST_FUNCTIONS.has(root)) violations.push(`${file}: ${root}.only`);
    });
  }
  return violations;
}

/** `test` of `test.concurrent.only`. */
function rootIdentifier(node: unknown): string | undefined {
  let current = node;
  while (typeof current === "object" && current !== null && "object" in current) current = current.object;
  return identifier(current);
}
