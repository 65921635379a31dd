/**
 * Where each node of the cluster listens. Nodes know each other by address, so a cluster that is started again from its data
 * directory must come back at the same ports; `cluster.json` remembers them.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DemoError, systemCode } from "./errors.js";
import { freePorts } from "./ports.js";

export interface NodePorts {
  readonly api: number;
  /** The node itself. */
  readonly node: number;
  /** The proxy in front of it: the address other nodes know. */
  readonly published: number;
}

const FILE = "cluster.json";
/** Offsets from the page's port; with at most 7 nodes the ranges do not meet. */
const API_OFFSET = 1;
const PUBLISHED_OFFSET = 11;
const NODE_OFFSET = 21;

/** The addresses of an earlier run in this data directory, or undefined when there was none. */
export async function readAddresses(dataDir: string): Promise<readonly NodePorts[] | undefined> {
  let text: string;
  try {
    text = await readFile(join(dataDir, FILE), "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw new DemoError(`${join(dataDir, FILE)} cannot be read`, { cause: error });
  }
  const nodes = parseNodes(text);
  if (nodes === undefined)
    throw new DemoError(`${join(dataDir, FILE)} is damaged: expected {"nodes":[{api,node,published}]}`);
  return nodes;
}

/** Chooses ports and remembers them. `basePort` makes them the same from run to run where they are free. */
export async function chooseAddresses(
  dataDir: string,
  count: number,
  basePort: number | undefined,
): Promise<readonly NodePorts[]> {
  const wanted = (offset: number) =>
    Array.from({ length: count }, (_, index) => (basePort === undefined ? undefined : basePort + offset + index));
  const ports = await freePorts([...wanted(API_OFFSET), ...wanted(PUBLISHED_OFFSET), ...wanted(NODE_OFFSET)]);
  const at = (row: number, index: number) => ports[row * count + index] ?? 0;
  const nodes = Array.from({ length: count }, (_, index) => ({
    api: at(0, index),
    published: at(1, index),
    node: at(2, index),
  }));
  await writeFile(join(dataDir, FILE), `${JSON.stringify({ nodes }, undefined, 2)}\n`);
  return nodes;
}

function parseNodes(text: string): readonly NodePorts[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("nodes" in value) || !Array.isArray(value.nodes))
    return undefined;
  const nodes: NodePorts[] = [];
  for (const item of value.nodes as unknown[]) {
    // The array's items are still unknown; each field is checked.
    if (typeof item !== "object" || item === null) return undefined;
    if (!("api" in item && isPort(item.api))) return undefined;
    if (!("node" in item && isPort(item.node))) return undefined;
    if (!("published" in item && isPort(item.published))) return undefined;
    nodes.push({ api: item.api, node: item.node, published: item.published });
  }
  return nodes.length === 0 ? undefined : nodes;
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= 65_535;
}
