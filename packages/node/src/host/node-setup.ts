/** What a node is made of before it runs. */
import type { CryptoSuite } from "@sealane/crypto";
import { parseAddress } from "@sealane/wire";
import type { App } from "../core/app.js";
import type { SigningLimits } from "../core/signing-policy.js";
import type { NodeEvent, Timing } from "../core/types.js";
import type { Voting } from "../core/voting.js";
import type { DataDir } from "./data-dir.js";
import type { NodeKeys } from "./membership.js";

export interface NodeSetup {
  readonly suite: CryptoSuite;
  readonly dataDir: DataDir;
  readonly keys: NodeKeys;
  readonly node: Listen;
  readonly api: Listen;
  readonly app: App;
  readonly timing: Timing;
  readonly signing: SigningLimits;
  readonly snapshotEvery: number;
  readonly voting: Voting;
  readonly observer: ((event: NodeEvent) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** How a node gets into its service. */
export interface WayIn {
  /** `https://host:port` of any of its nodes. */
  readonly joinUrl: string;
  /** Without a snapshot. */
  readonly fromBeginning?: true;
}

export interface Listen {
  readonly host: string;
  readonly port: number;
  readonly published?: string;
}

/** The host under which others find it. */
export function hostOf({ host, published }: Listen): string {
  return published === undefined ? host : parseAddress(published).host;
}
