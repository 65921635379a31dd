/** What the supervisor and a node's process say to each other over the IPC channel of `child_process.fork`. */
import type { NodeState } from "@sealane/wire";
import type { ExchangeGroup } from "./feed.js";

/** How the process should start its node. Addresses are `host:port`. */
export interface NodeSettings {
  readonly dataDir: string;
  readonly service:
    | { readonly type: "new" | "resume" }
    | { readonly type: "join"; readonly url: string; readonly serviceCertificate: string };
  readonly nodePort: number;
  readonly published: string;
  readonly apiPort: number;
  readonly electionTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly commitTimeoutMs: number;
}

export type ToNode = { readonly type: "start"; readonly settings: NodeSettings } | { readonly type: "stop" };

/** One event as the process saw it; the supervisor knows which node that was and turns ids into indices. */
export interface ObservedEvent {
  readonly atMs: number;
  readonly peer: string | null;
  readonly direction: "sent" | "received" | "local";
  readonly group: ExchangeGroup;
  readonly what: string;
  readonly detail: string;
  readonly bytes: number | null;
  readonly heartbeat: boolean;
}

export type FromNode =
  | { readonly type: "ready" }
  | { readonly type: "started"; readonly nodeId: string }
  | {
      readonly type: "batch";
      readonly state: NodeState | null;
      readonly events: readonly ObservedEvent[];
      readonly dropped: number;
    }
  /** The node ended with a fault; the process exits with 1 right after. */
  | { readonly type: "failed"; readonly message: string };
