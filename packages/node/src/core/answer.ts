/** What a client is answered with. */
import { utf8 } from "@sealane/wire";
import { toRequestError } from "./errors.js";

export interface Answer {
  /** HTTP status. */
  readonly status: number;
  readonly body: Uint8Array;
  /** Default: `application/json`. */
  readonly contentType?: string;
  readonly location?: string;
  /** Further ones, by name in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends an answer to whoever asked: a client of this node, or another node on behalf of its client. Called once. */
export type Answering = (answer: Answer) => void;

export function jsonAnswer(status: number, body: unknown, location?: string): Answer {
  return { status, body: utf8(JSON.stringify(body)), ...(location === undefined ? {} : { location }) };
}

/** Runs what answers by itself; what it throws is the answer otherwise. */
export function guard(answer: Answering, run: () => void): void {
  try {
    run();
  } catch (error) {
    const refusal = toRequestError(error);
    answer(jsonAnswer(refusal.status, refusal.answer));
  }
}
