/** Examples as files: written out, and type-checked by one run of the compiler. */
import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

/** Generous: the compiler may share the machine with every other package's tests. */
export const TIMEOUT_MS = 120_000;

/**
 * Writes each block as a module of its own, with a configuration to check them all by.
 * @param folder - Emptied first. Two levels below the package, whose `tsconfig.test.json` is extended.
 * @returns The paths of the modules.
 */
export function writeExamples(folder: string, blocks: readonly string[]): readonly string[] {
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
export async function typeErrors(folder: string): Promise<readonly string[]> {
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
