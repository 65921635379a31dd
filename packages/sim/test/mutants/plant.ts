/** Plants a fault in sources as the tests load them. None of this exists in what ships. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Edit {
  /** In packages. */
  readonly file: string;
  /** Occurs exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Fault {
  readonly name: string;
  readonly what: string;
  readonly edits: readonly Edit[];
}

const PACKAGES = fileURLToPath(new URL("../../../", import.meta.url));

/** A Vite plugin that plants a fault. @throws {Error} at once when the fault does not fit the sources. */
export function plant({ name, edits }: Fault) {
  for (const { file, find } of edits) {
    const found = readFileSync(PACKAGES + file, "utf8").split(find).length - 1;
    if (found !== 1) throw new Error(`fault ${name} fits ${file} ${found} times, not once: ${find}`);
  }
  return {
    name: `fault ${name}`,
    enforce: "pre" as const,
    transform(code: string, id: string): string | undefined {
      const here = edits.filter(({ file }) => id.split("?")[0] === PACKAGES + file);
      if (here.length === 0) return undefined;
      return here.reduce((text, { find, replace }) => text.replace(find, () => replace), code);
    },
  };
}
