/** Around the tests of a package: none of the keys they use may stand in anything that they, or programs they start, print. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { KeySearch } from "./search.js";

const RECORD = new URL("./record.js", import.meta.url);

export default async function watchOutput(): Promise<() => void> {
  const folder = mkdtempSync(path.join(tmpdir(), "sealane-watch-"));
  process.env.SEALANE_WATCH = folder;
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ""} --import=${RECORD.href}`.trim();
  await import(fileURLToPath(RECORD)); // this process prints what the tests print
  return () => {
    try {
      process.stdout.write(`${searchOutput(folder)}\n`);
    } catch (error) {
      process.exitCode = 1; // the test runner only prints what is thrown here
      throw error;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

/** @returns a line that says how much was searched. @throws when a key was printed. */
export function searchOutput(folder: string): string {
  const read = (kind: string) =>
    readdirSync(folder)
      .filter((name) => name.startsWith(`${kind}-`))
      .map((name) => readFileSync(path.join(folder, name), "utf8"));
  const search = new KeySearch();
  for (const key of new Set(read("keys").flatMap((text) => text.split("\n")))) if (key !== "") search.add(key);
  const outputs = read("output");
  const lines = outputs.flatMap((text) => search.find(text).map(({ form, before }) => `as ${form}, after "${before}"`));
  if (lines.length > 0) throw new Error(`a key was printed:\n${lines.join("\n")}`);
  const characters = outputs.reduce((sum, text) => sum + text.length, 0);
  return `none of ${search.keys} keys in ${characters} characters printed by ${outputs.length} processes`;
}
