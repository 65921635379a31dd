/** What every package has: versions from the catalog, declared dependencies within the table, a README with an example that runs. */
import { importGraph } from "./import-graph.js";
import { packageFolders, type Repository, type Violation } from "./repository.js";
import { IMPORT_TABLE, type Part } from "./table.js";

interface Manifest {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function manifestOf(repository: Repository, folder: string): Manifest {
  const file = folder === "" ? "package.json" : `${folder}/package.json`;
  return JSON.parse(repository.get(file) ?? "{}") as Manifest; // the repository's own; the install has read it already
}

/** One version of each dependency for the whole workspace: the catalog's. */
export function checkCatalog(repository: Repository): readonly Violation[] {
  const violations: Violation[] = [];
  for (const folder of ["", ...packageFolders(repository)]) {
    const manifest = manifestOf(repository, folder);
    for (const field of ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"] as const) {
      for (const [name, version] of Object.entries(manifest[field] ?? {})) {
        const wanted = name.startsWith("@sealane/") || name === "sealane" ? "workspace:*" : "catalog:";
        if (version === wanted) continue;
        violations.push(`${folder === "" ? "." : folder}/package.json: ${name} is "${version}", not "${wanted}"`);
      }
    }
  }
  return violations;
}

/** Packages that sources import but `dependencies` does not name, and dependencies that the table does not allow. */
export function checkDependencies(
  repository: Repository,
  table: Readonly<Record<string, readonly Part[]>> = IMPORT_TABLE,
): readonly Violation[] {
  const violations: Violation[] = [];
  const graph = importGraph(repository);
  for (const [folder, parts] of Object.entries(table)) {
    const manifest = manifestOf(repository, folder);
    const allowed = new Set(parts.flatMap((part) => [...part.workspace, ...part.npm].map(packageName)));
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      if (!allowed.has(name)) violations.push(`${folder}/package.json: the import table has no ${name}`);
    }
    // A test suite that is an entry point takes vitest from whoever runs it.
    const declared = { ...manifest.dependencies, ...manifest.peerDependencies, vitest: "", "fast-check": "" };
    for (const [file, imports] of graph) {
      if (!file.startsWith(`${folder}/`)) continue;
      for (const { specifier } of imports) {
        if (specifier.startsWith(".") || specifier.startsWith("node:")) continue;
        const name = packageName(specifier);
        if (!(name in declared)) violations.push(`${file}: ${name} is not among the package's dependencies`);
      }
    }
  }
  return [...new Set(violations)];
}

function packageName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Packages without a README or without the test that runs its example. */
export function checkReadmes(repository: Repository): readonly Violation[] {
  const violations: Violation[] = [];
  for (const folder of packageFolders(repository)) {
    if (folder === "bench") continue;
    if (!repository.has(`${folder}/README.md`)) violations.push(`${folder}: has no README.md`);
    // Apps and examples have commands to show, not imports; tidy's own example is in every other package's test.
    if (!folder.startsWith("packages/") || folder === "packages/tidy") continue;
    const test = repository.get(`${folder}/test/readme.test.ts`) ?? "";
    if (!test.includes("runReadme(new URL(")) {
      violations.push(`${folder}: test/readme.test.ts does not run the README's example`);
    }
  }
  return violations;
}
