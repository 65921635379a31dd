/** Where CPU time goes: the functions at the top of a profile that Node wrote (`--cpu-prof`). */
import { readFile } from "node:fs/promises";

/** The part of a `.cpuprofile` that is read here. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const IDLE = new Set(["(idle)", "(root)"]);

/** @returns lines of share, milliseconds and function, most expensive first; by the time in the function itself. */
export async function topFunctions(file: string, count: number): Promise<string[]> {
  // Written by Node a moment ago.
  const { nodes, samples, timeDeltas } = JSON.parse(await readFile(file, "utf8")) as CpuProfile;
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const selfUs = new Map<string, number>();
  let totalUs = 0;
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? "?";
    if (IDLE.has(name)) continue;
    const us = timeDeltas[index] ?? 0;
    totalUs += us;
    selfUs.set(name, (selfUs.get(name) ?? 0) + us);
  }
  const sorted = [...selfUs].toSorted(([, a], [, b]) => b - a).slice(0, count);
  return sorted.map(([name, us]) => {
    const percent = ((100 * us) / totalUs).toFixed(1);
    return `${percent.padStart(5)} %  ${(us / 1000).toFixed(1).padStart(8)} ms  ${name}`;
  });
}

function nameOf({ functionName, url, lineNumber }: CpuProfile["nodes"][number]["callFrame"]): string {
  const name = functionName === "" ? "(anonymous)" : functionName;
  const place = url.split("/").slice(-3).join("/");
  return place === "" ? name : `${name}  ${place}:${lineNumber + 1}`;
}
