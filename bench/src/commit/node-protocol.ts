/** What a node's process is told, and what it tells. */

export type NodeCommand =
  | {
      readonly do: "start";
      readonly dataDir: string;
      /** Of a service that is founded. */
      readonly curve: "P-384" | "P-256";
      /** Without it the node founds a service. */
      readonly join?: {
        readonly url: string;
        readonly serviceCertificate: string;
        readonly from?: "snapshot" | "beginning";
      };
    }
  /** Answers when the node takes part in its service. */
  | { readonly do: "ready" }
  | { readonly do: "usage" }
  | { readonly do: "stop" };

export interface NodeAnswer {
  readonly error?: string;
  readonly nodeId?: string;
  readonly apiUrl?: string;
  readonly serviceCertificate?: string;
  /** The last seqno that is committed here. */
  readonly committed?: number;
  readonly cpuUs?: number;
  readonly syncs?: number;
}
