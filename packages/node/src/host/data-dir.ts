/**
 * A node's directory. The node's secrets stand in one file, `node.private.json`, mode 0600; whatever is not named `private` may be read by
 * anybody.
 *
 *     node.private.json   the node's key; once it is trusted, also the service key and the ledger secrets
 *     node.json           addresses and certificates
 *     state.json          view, vote and a lower bound of what is committed
 *     service.pem         the service certificate, for clients and joiners
 *     ledger/             the ledger's chunks
 *     snapshots/          the state at some seqnos, encrypted, so that a restart need not read the whole ledger
 *     member0.pem, member0.private.pem, member0.encryption.pem, member0.encryption.private.pem
 *                         only where a service was founded without members: its first one, for the operator to keep
 *     node.pid            the process that runs here
 */
import { open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { base64, NodeId, Seqno, View } from "@sealane/wire";
import { z } from "zod";
import type { KeptSecret } from "../core/rotating-secrets.js";
import { NodeError } from "./errors.js";
import { makeDirectory } from "./make-directory.js";

const PRIVATE_MODE = 0o600;
const PUBLIC_MODE = 0o644;

const PrivateFile = z.strictObject({
  version: z.literal(1),
  /** PKCS#8 in PEM. */
  nodeKey: z.string(),
  /** RSA-2048, PKCS#8 in PEM: ledger secrets to come are wrapped for it. */
  encryptionKey: z.string(),
  /** SubjectPublicKeyInfo of the same in PEM. */
  encryptionPublicKey: z.string(),
  serviceKey: z.string().optional(),
  /** `isLearned`: brought by a transaction, and gone with it if that is taken back. */
  ledgerSecrets: z
    .array(z.strictObject({ from: Seqno, key: z.base64(), isLearned: z.literal(true).exactOptional() }))
    .optional(),
});
export type PrivateFile = z.infer<typeof PrivateFile>;

const Address = z.strictObject({ host: z.string(), port: z.int().min(0).max(65_535) });

const NodeFile = z.strictObject({
  version: z.literal(1),
  nodeId: NodeId,
  /** Where this node listens, and under what address others find it. */
  node: Address,
  api: Address,
  nodeAddress: z.string(),
  apiAddress: z.string(),
  /** The service certificate, PEM. */
  serviceCertificate: z.string(),
  /** This node's certificate endorsed by the service, PEM; absent until it is trusted. */
  certificate: z.string().optional(),
  /** Where a node that is not trusted yet asks to join. */
  joinUrl: z.string().optional(),
  /** It does so without a snapshot. */
  fromBeginning: z.literal(true).optional(),
  /** Those before, PEM, where this node has recovered its service. */
  formerServices: z.array(z.string()).optional(),
  /** It recovers its service, and has not committed that yet. */
  recovering: z.literal(true).optional(),
  /** The service has removed this node, for good: it is not started again. */
  retired: z.literal(true).optional(),
  /** The nodes it was told of when it joined. */
  nodes: z.array(
    z.strictObject({
      id: NodeId,
      status: z.enum(["pending", "trusted", "retired"]),
      retiredCommitted: z.literal(true).exactOptional(),
      nodeAddress: z.string(),
      apiAddress: z.string(),
    }),
  ),
});
export type NodeFile = z.infer<typeof NodeFile>;

const StateFile = z.strictObject({
  version: z.literal(1),
  view: View,
  votedFor: NodeId.nullable(),
  commitSeqno: Seqno,
});
export type StateFile = z.infer<typeof StateFile>;

export class DataDir {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get snapshotsPath(): string {
    return join(this.path, "snapshots");
  }

  get ledgerPath(): string {
    return join(this.path, "ledger");
  }

  /**
   * Makes the directory and claims it for this process.
   * @throws NodeError `data-dir-in-use` while another process runs a node here, `data-dir-damaged` when it cannot be written.
   */
  async claim(): Promise<void> {
    try {
      await makeDirectory(resolve(this.ledgerPath));
      const holder = Number(await readText(join(this.path, "node.pid")));
      if (holder > 0 && holder !== process.pid && (await isAlive(holder))) {
        throw new NodeError(
          "data-dir-in-use",
          `Process ${holder} runs a node in ${this.path}. Stop it first, or remove node.pid there if that process is no node.`,
        );
      }
      await this.#write("node.pid", `${process.pid}\n`, PUBLIC_MODE);
    } catch (cause) {
      if (cause instanceof NodeError) throw cause;
      throw damaged(this.path, "cannot be written", cause);
    }
  }

  async release(): Promise<void> {
    await rm(join(this.path, "node.pid"), { force: true });
  }

  /** Whether a node has lived here. */
  async holdsNode(): Promise<boolean> {
    return (await readText(join(this.path, "node.private.json"))) !== undefined;
  }

  readPrivate = (): Promise<PrivateFile> => this.#read("node.private.json", PrivateFile);
  readNode = (): Promise<NodeFile> => this.#read("node.json", NodeFile);
  writePrivate = (file: PrivateFile): Promise<void> => this.#writeJson("node.private.json", file, PRIVATE_MODE);

  /** Replaces the ledger secrets in the private file. They are kept with it, so that one file alone is secret. */
  async writeLedgerSecrets(secrets: readonly KeptSecret[]): Promise<void> {
    const ledgerSecrets = secrets.map(({ key, ...secret }) => ({ ...secret, key: base64(key) }));
    await this.writePrivate({ ...(await this.readPrivate()), ledgerSecrets });
  }

  async writeNode(file: NodeFile): Promise<void> {
    await this.#write("service.pem", file.serviceCertificate, PUBLIC_MODE);
    await this.#writeJson("node.json", file, PUBLIC_MODE);
  }

  /** @returns undefined before the first vote or view. */
  async readState(): Promise<StateFile | undefined> {
    const text = await readText(join(this.path, "state.json"));
    return text === undefined ? undefined : this.#read("state.json", StateFile);
  }

  writeState = (file: StateFile): Promise<void> => this.#writeJson("state.json", file, PUBLIC_MODE);

  /** Removes all chunks of the ledger. For a node that begins again, from a snapshot behind its last entry. */
  async clearLedger(): Promise<void> {
    for (const name of await readdir(this.ledgerPath)) {
      if (name.startsWith("ledger_")) await rm(join(this.ledgerPath, name));
    }
  }

  /** Keeps the generated key of a service's first member beside the node, so that its operator can cast ballots. */
  async writeMember(name: string, certificatePem: string, privateKeyPem: string): Promise<void> {
    await this.#write(`${name}.pem`, certificatePem, PUBLIC_MODE);
    await this.#write(`${name}.private.pem`, privateKeyPem, PRIVATE_MODE);
  }

  /** The same for the key that opens its share of the ledger secrets. */
  async writeMemberEncryption(name: string, publicKeyPem: string, privateKeyPem: string): Promise<void> {
    await this.#write(`${name}.encryption.pem`, publicKeyPem, PUBLIC_MODE);
    await this.#write(`${name}.encryption.private.pem`, privateKeyPem, PRIVATE_MODE);
  }

  async #read<T>(name: string, schema: z.ZodType<T>): Promise<T> {
    const text = await readText(join(this.path, name));
    if (text === undefined)
      throw new NodeError("data-dir-empty", `There is no node in ${this.path}: ${name} is missing.`);
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      throw new NodeError("data-dir-damaged", `${join(this.path, name)} is not what a node wrote.`); // no cause: it may quote a key
    }
  }

  #writeJson(name: string, value: unknown, mode: number): Promise<void> {
    return this.#write(name, `${JSON.stringify(value, undefined, 2)}\n`, mode);
  }

  /** Replaces a file as a whole: after a crash there is the old one or the new one, never a part, and after return it is durable. */
  async #write(name: string, text: string, mode: number): Promise<void> {
    const path = join(this.path, name);
    const temporary = `${path}.tmp`;
    await rm(temporary, { force: true });
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    const directory = await open(this.path, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw damaged(path, "cannot be read", cause);
  }
}

function damaged(path: string, what: string, cause: unknown): NodeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new NodeError("data-dir-damaged", `${path} ${what}: ${why}`, { cause });
}

async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "EPERM";
  }
  return !(await isZombie(pid));
}

/** In a container whose first process does not wait for its children, a killed node keeps its id for ever (proc(5), `/proc/[pid]/stat`). */
async function isZombie(pid: number): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return /^ [ZX]/.test(stat.slice(stat.lastIndexOf(")") + 1));
  } catch {
    return false; // no such file system, or gone in the meantime
  }
}
