/** What passes between the page and a worker. The frames of the channel do not: they have a port of their own between the workers. */
import type { EndEvent } from "../channel-end.js";
import type { Endorsement } from "../identity.js";

export type ToWorker =
  /** Everything the worker needs, with its end of the port between the two. */
  | {
      readonly type: "start";
      readonly endorsement: Endorsement;
      readonly port: MessagePort;
      readonly initiates: boolean;
    }
  | { readonly type: "ping"; readonly text: string };

export type FromWorker =
  /** The public key the worker has drawn, for the page to endorse. */
  { readonly type: "key"; readonly spki: Uint8Array } | { readonly type: "event"; readonly event: EndEvent };
