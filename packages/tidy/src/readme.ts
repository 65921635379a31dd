/**
 * Runs and type-checks the examples of a README, so that they cannot rot. An example throws when something is wrong and prints nothing.
 *
 * Every fenced `ts` block becomes a module in the package's git-ignored `.sealane/readme/`, where it sees the package the way a user does:
 * by name, through `exports`. The "source" condition leads those names to the sources, so that neither running nor checking needs a build.
 */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { tsBlocks } from "./ts-blocks.ts";

/** Generous: the compiler may share the machine with every other package's tests. */
const TIMEOUT_MS = 120_000;

/**
 * Registers one test for each `ts` block of a README, and one that type-checks them all with the package's own test configuration.
 * @param url - The README's file URL; its folder is the package.
 * @example
 * runReadme(new URL("../README.md", import.meta.url));
 */
export function runReadme(url: URL): void {
  const readme = fileURLToPath(url);
  const folder = path.join(path.dirname(readme), ".sealane", "readme");
  const files = writeExamples(folder, tsBlocks(readFileSync(readme, "utf8")));

  test("the README has an example", () => {
    expect(files.length, `no \`\`\`ts block in ${readme}`).toBeGreaterThan(0);
  });

  for (const [index, file] of files.entries()) {
    test(`README example ${index + 1} runs`, { timeout: TIMEOUT_MS }, async () => {
      await import(/* @vite-ignore */ pathToFileURL(file).href);
    });
  }

  test("the README's examples pass the type check", { timeout: TIMEOUT_MS }, async () => {
    expect(await typeErrors(folder)).toEqual([]);
  });
}

function writeExamples(folder: string, blocks: readonly string[]): readonly string[] {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const config = {
    extends: "../../tsconfig.test.json",
    compilerOptions: { customConditions: ["source"] },
    include: ["*.ts"],
  };
  writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(config));
  return blocks.map((block, index) => {
    const file = path.join(folder, `example-${index + 1}.ts`);
    // An example without import or export would be a script, in which `await` may not stand alone.
    writeFileSync(file, `${block}\nexport {};\n`);
    return file;
  });
}

/**
 * The compiler's complaints about the examples. Complaints about the sources they import are left to the `check` script of the package
 * that has them; but when the compiler fails without a word about any file (a wrong option, say), its whole output is the complaint.
 */
async function typeErrors(folder: string): Promise<readonly string[]> {
  const tsc = path.join(path.dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  const { failed, output } = await new Promise<{ failed: boolean; output: string }>((resolve) => {
    execFile(
      process.execPath,
      [tsc, "--project", "tsconfig.json", "--noEmit", "--pretty", "false"],
      { cwd: folder, timeout: TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ failed: error !== null, output: stdout + stderr }),
    );
  });
  if (!failed) return [];
  const lines = output.split("\n");
  const complaints = lines.filter((line) => /^example-\d+\.ts\(/.test(line));
  const aboutFiles = lines.some((line) => /^\S+\.ts\(\d+,\d+\): error /.test(line));
  return complaints.length > 0 || aboutFiles ? complaints : [output];
}
