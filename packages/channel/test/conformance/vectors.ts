/** The recorded exchanges of existing CCF nodes: `vectors/channel-v1.json` beside the repository, in the form its `_about` describes. Never copied. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export type SideName = "A" | "B";

export interface Message {
  readonly id: string;
  readonly by: string;
  readonly from_id: string;
  readonly msg_type: number;
  /** What precedes the payload on TCP; in some cases only. */
  readonly frame_header?: string;
  readonly payload: string;
  readonly decoded: { readonly kind: string };
}

export interface After {
  readonly status: string;
  readonly send_nonce_next: number;
  readonly recv_nonce_last: number;
  readonly salt: string | null;
  readonly own_ephemeral_private: string | null;
  readonly shared_secret: string | null;
  readonly send_key: string | null;
  readonly recv_key: string | null;
}

export interface Event {
  readonly op: "send" | "deliver" | "close" | "wait";
  readonly at?: SideName;
  readonly note?: string;
  readonly ms?: number;
  readonly msg_type?: number;
  readonly aad?: string;
  readonly plain?: string;
  readonly wire?: string;
  readonly crafted?: Message;
  readonly host_appended?: string;
  readonly aad_size?: number;
  readonly remaining_after_header?: number;
  readonly plaintext?: string;
  readonly result?: "true" | "false" | "threw";
  readonly emitted?: readonly Message[];
  readonly after?: After | "unchanged";
}

export interface ChannelOf {
  readonly identity: string;
  readonly self_id: string;
  readonly peer_id: string;
  readonly message_limit?: number;
}

export interface Case {
  readonly name: string;
  readonly category: "accept" | "reject" | "lenient" | "weakness";
  readonly message_limit: number;
  readonly min_gap_ms: number;
  readonly channels: Readonly<Record<SideName, ChannelOf>>;
  readonly events: readonly Event[];
  readonly observed?: { readonly truncations_tried?: number };
}

export interface Identity {
  readonly node_id: string;
  readonly private_key_pem: string;
  readonly certificate_pem: string;
}

export interface Vectors {
  readonly identities: Readonly<Record<string, Identity>>;
  readonly cases: readonly Case[];
}

/** Where the file is looked for. */
export function vectorsFile(): string {
  const shared = process.env.SEALANE_SHARED ?? path.join(repositoryRoot(), "..", "shared");
  return path.join(shared, "vectors", "channel-v1.json");
}

/** Undefined where the file is not there. */
export function readVectors(): Vectors | undefined {
  const file = vectorsFile();
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, "utf8")) as Vectors; // the form its "_about" describes
}

export function identityOf(vectors: Vectors, name: string): Identity {
  const identity = vectors.identities[name];
  if (identity === undefined) throw new Error(`no identity ${name}`);
  return identity;
}

/** The first folder above this file with the workspace's own file in it: tests run from `test`, the runner from what is built of it. */
function repositoryRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, "pnpm-workspace.yaml"))) {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error("this is not run inside of the repository");
    folder = parent;
  }
  return folder;
}
