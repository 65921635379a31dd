/** The parts of a source's syntax tree that the checks ask about. */
import { parseAst } from "vitest/node";

/** A node of the tree (ESTree with TypeScript's additions), as far as it is looked at here. */
export interface SyntaxNode {
  readonly type: string;
  readonly [field: string]: unknown;
}

const trees = new Map<string, SyntaxNode>();

/** @throws {Error} when the text is not TypeScript. */
export function parse(file: string, text: string): SyntaxNode {
  const key = `${file}\n${text}`;
  let tree = trees.get(key);
  if (tree === undefined) {
    const program: unknown = parseAst(text, { lang: file.endsWith("x") ? "tsx" : "ts" });
    if (!isNode(program)) throw new Error(`no syntax tree for ${file}`);
    tree = program;
    trees.set(key, tree);
  }
  return tree;
}

/** Visits every node of a tree, parents first. */
export function walk(node: unknown, visit: (node: SyntaxNode) => void): void {
  if (Array.isArray(node)) {
    for (const item of node) walk(item, visit);
  } else if (typeof node === "object" && node !== null) {
    if (isNode(node)) visit(node);
    for (const value of Object.values(node)) walk(value, visit);
  }
}

/** `console` of the node for `console`, `undefined` for anything but an identifier. */
export function identifier(node: unknown): string | undefined {
  return isNode(node) && node.type === "Identifier" && typeof node.name === "string" ? node.name : undefined;
}

/** What a source imports: every specifier of a static, dynamic, re-exporting, `import type` or `import("…").T` form. */
export function importsOf(file: string, text: string): readonly string[] {
  const specifiers = new Set<string>();
  walk(parse(file, text), (node) => {
    const specifier = literal(importedBy(node));
    if (specifier !== undefined) specifiers.add(specifier);
  });
  return [...specifiers];
}

function importedBy(node: SyntaxNode): unknown {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
    case "ImportExpression":
    case "TSImportType":
      return node.source ?? node.argument;
    case "TSExternalModuleReference":
      return node.expression;
    default:
      return undefined;
  }
}

function literal(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "TSLiteralType") return literal(node.literal);
  return node.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}
