/** The files the checks look at: read from disk for the real check, made up for the tests of the checks themselves. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** Text by path; paths are relative to the root of the repository, with `/`. */
export type Repository = ReadonlyMap<string, string>;

/** What a check found, as one line for people: a path, a colon, a sentence. */
export type Violation = string;

const SKIPPED = new Set(["node_modules", "dist", "coverage"]);
const READ = /\.(tsx?|md|json)$/;

/** All TypeScript, Markdown and JSON files, without what is built or installed and without hidden folders. */
export function readRepository(root: string): Repository {
  const files = new Map<string, string>();
  const visit = (folder: string): void => {
    for (const item of readdirSync(path.join(root, folder), { withFileTypes: true })) {
      if (SKIPPED.has(item.name) || item.name.startsWith(".")) continue;
      const name = folder === "" ? item.name : `${folder}/${item.name}`;
      if (item.isDirectory()) visit(name);
      else if (READ.test(item.name)) files.set(name, readFileSync(path.join(root, name), "utf8"));
    }
  };
  visit("");
  return files;
}

/** A package or app: `packages/wire`, `apps/cli`. */
export function packageFolders(repository: Repository): readonly string[] {
  const folders = new Set<string>();
  for (const file of repository.keys()) {
    const match = /^((?:packages|apps|examples)\/[^/]+|bench)\/package\.json$/.exec(file);
    if (match?.[1] !== undefined) folders.add(match[1]);
  }
  return [...folders].sort();
}

/** Sources that ship: in `src`, without tests. */
export function isSource(file: string): boolean {
  return /^(packages|apps)\/[^/]+\/src\/.*\.tsx?$/.test(file) && !/\.test\.tsx?$|\.d\.ts$/.test(file);
}
