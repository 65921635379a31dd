/** Which source imports which: relative imports, and imports of workspace packages through their `exports`. */
import path from "node:path";
import { isSource, packageFolders, type Repository } from "./repository.js";
import { importsOf } from "./syntax.js";

export interface Import {
  readonly specifier: string;
  /** The source it leads to, when that is in the repository. */
  readonly target: string | undefined;
}

/** The imports of every source that ships. */
export type ImportGraph = ReadonlyMap<string, readonly Import[]>;

export function importGraph(repository: Repository): ImportGraph {
  const entryPoints = workspaceEntryPoints(repository);
  const graph = new Map<string, readonly Import[]>();
  for (const [file, text] of repository) {
    if (!isSource(file)) continue;
    const imports = importsOf(file, text).map((specifier) => ({
      specifier,
      target: specifier.startsWith(".") ? resolveRelative(repository, file, specifier) : entryPoints.get(specifier),
    }));
    graph.set(file, imports);
  }
  return graph;
}

/** Source of every entry point of every package, by the specifier that imports it. */
function workspaceEntryPoints(repository: Repository): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const folder of packageFolders(repository)) {
    // Manifests are the repository's own; a wrong one fails the install before it comes here.
    const manifest = JSON.parse(repository.get(`${folder}/package.json`) ?? "{}") as {
      readonly name?: string;
      readonly exports?: Readonly<Record<string, string | { readonly source?: string }>>;
    };
    for (const [subpath, target] of Object.entries(manifest.exports ?? {})) {
      if (typeof target === "string" || target.source === undefined || manifest.name === undefined) continue;
      sources.set(path.posix.join(manifest.name, subpath), path.posix.join(folder, target.source));
    }
  }
  return sources;
}

function resolveRelative(repository: Repository, file: string, specifier: string): string | undefined {
  const target = path.posix.join(path.posix.dirname(file), specifier);
  const candidates = [target, target.replace(/\.js$/, ".ts"), target.replace(/\.jsx?$/, ".tsx")];
  return candidates.find((candidate) => repository.has(candidate));
}

/** All sources that can be reached from some, themselves included, without leaving the folder. */
export function reachable(graph: ImportGraph, from: readonly string[], folder: string): ReadonlySet<string> {
  const found = new Set<string>();
  const open = from.filter((file) => graph.has(file));
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    for (const { target } of graph.get(file) ?? []) {
      if (target?.startsWith(`${folder}/`) && graph.has(target)) open.push(target);
    }
  }
  return found;
}

/** One import cycle for each knot of sources that import each other, as the list of its sources in order. */
export function cycles(graph: ImportGraph): readonly (readonly string[])[] {
  const found: string[][] = [];
  const state = new Map<string, "open" | "done">();
  const trail: string[] = [];
  const visit = (file: string): void => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      found.push(trail.slice(trail.indexOf(file)));
      return;
    }
    state.set(file, "open");
    trail.push(file);
    for (const { target } of graph.get(file) ?? []) if (target !== undefined && graph.has(target)) visit(target);
    trail.pop();
    state.set(file, "done");
  };
  for (const file of graph.keys()) visit(file);
  return found;
}
