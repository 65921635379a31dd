/** What passes between the page and the Node process beside the channel's own frames: JSON over HTTP, then text messages of the WebSocket. */
import { fromBase64, NodeId } from "@sealane/wire";
import type { EndEvent } from "./channel-end.js";
import type { Endorsement } from "./identity.js";

/** POST: the page asks the process's service to vouch for its key. */
export const ENDORSEMENTS_PATH = "/endorsements";
/** The WebSocket, with `?node=` and the id that was endorsed. Binary messages are frames, text messages are `BridgeReport`s or `BridgeCommand`s. */
export const CHANNEL_PATH = "/channel";

export interface EndorsementRequest {
  /** SubjectPublicKeyInfo, base64. */
  readonly publicKey: string;
}

export interface EndorsementAnswer {
  /** DER, base64. */
  readonly certificate: string;
  readonly serviceCertificate: string;
  readonly peer: string;
}

/** From the process: what happened at its end, to be shown. */
export type BridgeReport = EndEvent;

/** To the process: send a ping of its own. */
export interface BridgeCommand {
  readonly ping: string;
}

/** @throws {Error} when it is not an {@link EndorsementAnswer}. */
export function parseEndorsement(answer: unknown): Endorsement {
  return {
    certificate: fromBase64(textField(answer, "certificate")),
    serviceCertificate: fromBase64(textField(answer, "serviceCertificate")),
    peer: NodeId.parse(textField(answer, "peer")),
  };
}

/** @throws {Error} when there is no such field or it is not text. */
export function textField(value: unknown, name: string): string {
  const field: unknown = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  if (typeof field !== "string") throw new Error(`${name} is not a text`);
  return field;
}
