/** The import table, own indexes, import cycles, dead sources. Type imports count like any other. */
import path from "node:path";
import { cycles, type Import, type ImportGraph, importGraph, reachable } from "./import-graph.js";
import type { Repository, Violation } from "./repository.js";
import { parse, walk } from "./syntax.js";
import { IMPORT_TABLE, type Part } from "./table.js";

type Table = Readonly<Record<string, readonly Part[]>>;

/** Sources by the parts of the table they belong to. */
export function partsOfSources(graph: ImportGraph, table: Table = IMPORT_TABLE): ReadonlyMap<string, readonly Part[]> {
  const parts = new Map<string, Part[]>();
  for (const [folder, ownParts] of Object.entries(table)) {
    for (const part of ownParts) {
      const entries = [`${folder}/${part.entry}`];
      if (part.folder !== undefined) {
        for (const file of graph.keys()) if (file.startsWith(`${folder}/${part.folder}/`)) entries.push(file);
      }
      // The host of a node reaches the core through its entry point, but the core keeps its own, stricter rules.
      for (const file of reachable(graph, entries, folder)) parts.set(file, [...(parts.get(file) ?? []), part]);
    }
  }
  return parts;
}

/** Every import that the table does not allow. */
export function checkImportTable(repository: Repository, table: Table = IMPORT_TABLE): readonly Violation[] {
  const graph = importGraph(repository);
  const parts = partsOfSources(graph, table);
  const violations: Violation[] = [];
  for (const [file, imports] of graph) {
    const folder = file.split("/").slice(0, 2).join("/");
    const ownParts = table[folder];
    if (ownParts === undefined) {
      violations.push(`${file}: ${folder} is not in the import table`);
      continue;
    }
    // A source that no entry point reaches is held to the main entry point's rules.
    for (const part of parts.get(file) ?? ownParts.slice(0, 1)) {
      for (const one of imports) {
        const wrong = refuse(file, folder, part, one);
        if (wrong !== undefined) violations.push(`${file}: ${wrong}`);
      }
    }
  }
  return [...new Set(violations)];
}

function refuse(file: string, folder: string, part: Part, { specifier, target }: Import): string | undefined {
  if (specifier.startsWith(".")) {
    if (!path.posix.join(path.posix.dirname(file), specifier).startsWith(`${folder}/src/`)) {
      return `"${specifier}" leaves the sources of the package`;
    }
    const outside = part.closed === true && !(target ?? "").startsWith(`${folder}/${part.folder}/`);
    return outside ? `"${specifier}" leaves ${part.folder}` : undefined;
  }
  if (specifier.startsWith("node:")) {
    return part.node === "all" || part.node.includes(specifier)
      ? undefined
      : `"${specifier}" may not be imported behind ${part.entry}`;
  }
  const allowed = specifier.startsWith("@sealane/")
    ? part.workspace.includes(specifier)
    : part.npm.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  return allowed ? undefined : `"${specifier}" may not be imported behind ${part.entry}`;
}

/** Imports of the package's own `index.ts`, or of the index of the folder a source lies in; and indexes that do not list by name. */
export function checkIndexes(repository: Repository): readonly Violation[] {
  const violations: Violation[] = [];
  for (const [file, imports] of importGraph(repository)) {
    const folder = file.split("/").slice(0, 2).join("/");
    for (const { specifier, target } of imports) {
      if (target === undefined || !specifier.startsWith(".") || !target.endsWith("/index.ts")) continue;
      const own = path.posix.dirname(target);
      if (target === `${folder}/src/index.ts` || file.startsWith(`${own}/`)) {
        violations.push(`${file}: "${specifier}" is an index above it; import from the file that defines the thing`);
      }
    }
    if (!file.endsWith("/index.ts")) continue;
    walk(parse(file, repository.get(file) ?? ""), (node) => {
      if (node.type === "ExportAllDeclaration") violations.push(`${file}: lists its exports by name, not with "*"`);
    });
  }
  return violations;
}

/** Import cycles within and across packages. */
export function checkCycles(repository: Repository): readonly Violation[] {
  return cycles(importGraph(repository)).map((files) => `${[...files, files[0]].join(" → ")}: an import cycle`);
}

/** Sources of a package that none of its entry points reaches. */
export function checkDeadSources(repository: Repository, table: Table = IMPORT_TABLE): readonly Violation[] {
  const graph = importGraph(repository);
  const parts = partsOfSources(graph, table);
  return [...graph.keys()]
    .filter((file) => file.startsWith("packages/") && !file.startsWith("packages/tidy/") && !parts.has(file))
    .map((file) => `${file}: no entry point reaches it; a helper of tests belongs in test/`);
}
