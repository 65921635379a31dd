/**
 * Replays one side of a recorded case against a `Channel` of version 1 and says what differs.
 *
 * Ours may do two things at another time than the nodes that were recorded, and the replay takes that into account: what a responder sends before
 * the final, ours sends right behind it ("held"); and a fresh attempt comes by the clock, not with the next record ("retried"). The bytes have to
 * be the recorded ones in both cases, and what never comes is a difference.
 */

import { Channel, type ChannelErrorCode } from "@sealane/channel";
import { pemDecode } from "@sealane/crypto";
import {
  concatBytes,
  consensusHeaderBytes,
  encodeFrameHeader,
  FRAME_CHANNEL,
  FRAME_CONSENSUS,
  FRAME_FORWARDED,
  fromHex,
  hex,
  NodeId,
  WireError,
} from "@sealane/wire";
import { InjectedSuite, isObject, keyPairOf } from "./injected-suite.js";
import { compareMessage, nameOf, type Sent } from "./message-check.js";
import { type After, type Case, type Event, identityOf, type Message, type SideName, type Vectors } from "./vectors.js";

/** One fact in which ours differs from the recording. */
export interface Difference {
  readonly event: number;
  readonly what: string;
}

export interface Replayed {
  readonly differences: readonly Difference[];
  readonly events: number;
  readonly messages: number;
  readonly held: number;
  readonly retried: number;
  readonly prefixes: number;
}

/** This one case has another trust anchor than the service, as its description says. */
const ANCHORS: Readonly<Record<string, string>> = { trust_anchor_not_self_signed: "intermediate" };
/** How long a fresh attempt may take to come, in milliseconds of the replay's clock. */
const RETRY_MS_MAX = 1_000;

/** Where ours leaves the recorded course on purpose. */
export interface Course {
  /** Events after this one are not replayed: they build on what ours refused. */
  readonly lastEvent?: number;
  /** After this event that message is delivered too: the genuine one in place of the one that was refused. */
  readonly repair?: { readonly event: number; readonly wire: string };
}

export function replay(vectors: Vectors, recorded: Case, side: SideName, { lastEvent, repair }: Course = {}): Replayed {
  const run = new Replay(vectors, recorded, side);
  for (const [index, event] of recorded.events.entries()) {
    if (index > (lastEvent ?? index)) break;
    if (event.op === "wait" || event.at === side) run.step(index, event);
    if (index === repair?.event) run.repair(repair.wire);
  }
  if (lastEvent === undefined) run.finish();
  return run.result;
}

class Replay {
  readonly #recorded: Case;
  readonly #certificatePem: string;
  readonly #selfId: NodeId;
  readonly #injected: InjectedSuite;
  readonly #channel: Channel;
  readonly #messages: ReadonlyMap<string, Message>;
  readonly #differences: Difference[] = [];
  /** Recorded messages that ours has yet to send, and inits of ours that the recording has yet to come to. */
  #due: Message[] = [];
  #early: Sent[] = [];
  #expected: After | undefined;
  #index = 0;
  #nowMs = 0;
  #events = 0;
  #sent = 0;
  #held = 0;
  #retried = 0;
  #prefixes = 0;

  constructor(vectors: Vectors, recorded: Case, side: SideName) {
    const settings = recorded.channels[side];
    const identity = identityOf(vectors, settings.identity);
    const anchor = identityOf(vectors, ANCHORS[recorded.name] ?? "service");
    this.#recorded = recorded;
    this.#certificatePem = identity.certificate_pem;
    this.#selfId = NodeId.parse(settings.self_id);
    this.#injected = new InjectedSuite(recorded, side);
    this.#messages = new Map(messagesOf(recorded).map((message) => [message.id, message]));
    this.#channel = new Channel({
      suite: this.#injected.suite,
      version: 1,
      self: {
        id: this.#selfId,
        keyPair: keyPairOf(identity.private_key_pem),
        certificate: pemDecode("CERTIFICATE", identity.certificate_pem),
      },
      peer: NodeId.parse(settings.peer_id),
      trust: { serviceCertificate: pemDecode("CERTIFICATE", anchor.certificate_pem), trusted: () => true },
      limits: {
        recordsMax: settings.message_limit ?? recorded.message_limit,
        handshakeTimeoutMs: recorded.min_gap_ms,
        backoffMsMin: 1,
        backoffMsMax: 1,
        attemptsPerSecond: 10_000,
        attemptsBurst: 10_000,
      },
    });
  }

  get result(): Replayed {
    return {
      differences: this.#differences,
      events: this.#events,
      messages: this.#sent,
      held: this.#held,
      retried: this.#retried,
      prefixes: this.#prefixes,
    };
  }

  step(index: number, event: Event): void {
    this.#index = index;
    this.#events += 1;
    this.#injected.at(index);
    switch (event.op) {
      case "wait":
        this.#wait(event.ms ?? 0);
        return;
      case "close":
        this.#channel.close();
        break;
      case "send":
        this.#send(event);
        break;
      case "deliver":
        this.#deliver(event);
    }
    if (event.op !== "deliver" && isObject(event.after)) this.#expected = event.after;
    this.#compareState();
  }

  /** Delivers a genuine message outside of the recorded order; what it leads to is compared from the next event on. */
  repair(wire: string): void {
    this.#channel.handleFrame(fromHex(this.#messages.get(wire)?.payload ?? ""), this.#nowMs);
    if (this.#drain().codes.length > 0) this.#differ(`${wire} was refused`);
  }

  /** What was recorded and never came. */
  finish(): void {
    for (const { id } of this.#due) this.#differ(`${id} was not sent`);
    for (const sent of this.#early) this.#differ(`${nameOf(sent)} was sent besides`);
  }

  #send({ msg_type, aad = "", plain = "", result, emitted = [] }: Event): void {
    const header = fromHex(aad);
    let verdict: string;
    const sent: Sent[] = [];
    try {
      const sealed =
        msg_type === FRAME_CONSENSUS
          ? (this.#channel.seal(header, this.#nowMs) ?? "queued")
          : this.#channel.sealEncrypted(header, fromHex(plain), this.#nowMs);
      verdict = sealed === "refused" ? "false" : "true";
      if (typeof sealed !== "string") {
        sent.push({
          frameType: msg_type === FRAME_CONSENSUS ? FRAME_CONSENSUS : FRAME_FORWARDED,
          payload: concatBytes(header, sealed),
        });
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      verdict = "threw";
    }
    sent.push(...this.#drain().sent);
    this.#compareVerdict(verdict, result, []);
    this.#compareSent(sent, emitted, undefined);
  }

  #deliver(event: Event): void {
    const message = event.crafted ?? this.#messages.get(event.wire ?? "");
    if (message === undefined) throw new Error(`no message ${event.wire}`);
    const payload = concatBytes(fromHex(message.payload), fromHex(event.host_appended ?? ""));
    if (message.msg_type === FRAME_CHANNEL && payload[0] === 1) this.#awaitRetry();
    const isLastWhole = event.result === "true" && this.#recorded.observed?.truncations_tried !== undefined;
    if (isLastWhole && message.msg_type === FRAME_CHANNEL && this.#prefixes === 0) this.#refusesPrefixes(payload);
    const before = this.#facts();
    const opened =
      message.msg_type === FRAME_CHANNEL
        ? this.#channel.handleFrame(payload, this.#nowMs)
        : this.#open(event, message.msg_type === FRAME_CONSENSUS ? FRAME_CONSENSUS : FRAME_FORWARDED, payload);
    const { sent, codes } = this.#drain();
    // A node of §5 counts an init it ignores in a collision as taken.
    const refused = message.msg_type === FRAME_CHANNEL ? codes.filter((code) => code !== "collision") : codes;
    const isTaken = message.msg_type === FRAME_CHANNEL ? refused.length === 0 : opened;
    this.#compareVerdict(isTaken ? "true" : "false", event.result === "threw" ? "false" : event.result, refused);
    if (!isTaken && event.result === "true") {
      // Refused on purpose, if it is declared. Then it must have changed nothing, and what was recorded of its effects does not apply.
      if (sent.length > 0 || this.#facts() !== before) this.#differ("the refused message changed something");
      this.#expected = undefined;
      return;
    }
    if (isObject(event.after)) this.#expected = event.after;
    this.#compareSent(sent, event.emitted ?? [], payload);
  }

  #open(event: Event, frameType: typeof FRAME_CONSENSUS | typeof FRAME_FORWARDED, payload: Uint8Array): boolean {
    const headerBytes = event.aad_size ?? headerBytesOf(payload);
    const opened = this.#channel.open(frameType, headerBytes, payload, this.#nowMs);
    if (opened === undefined) return false;
    if (frameType === FRAME_FORWARDED && event.plaintext !== undefined && hex(opened.plaintext) !== event.plaintext) {
      this.#differ("another plaintext came out");
    }
    if (frameType === FRAME_CONSENSUS && opened.rest.length !== (event.remaining_after_header ?? 0)) {
      this.#differ("another length is left behind the trailer");
    }
    return true;
  }

  /** §3.5: a message cut short at any length is refused; and it changes nothing, or what follows would differ. */
  #refusesPrefixes(payload: Uint8Array): void {
    for (let length = 0; length < payload.length; length++) {
      this.#channel.handleFrame(payload.slice(0, length), this.#nowMs);
      const { sent, codes } = this.#drain();
      if (sent.length > 0 || codes.length !== 1) this.#differ(`the first ${length} bytes were taken`);
      this.#prefixes += 1;
    }
  }

  #wait(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const { sent, wakeMs } = this.#drain();
      this.#compareSent(sent, [], undefined);
      if (wakeMs > endMs) break;
      this.#nowMs = Math.max(this.#nowMs, wakeMs);
      this.#channel.handleTick(this.#nowMs);
    }
    this.#nowMs = endMs;
  }

  /** A response is about to come to an attempt that ours makes by the clock: the clock goes on until it does. */
  #awaitRetry(): void {
    const isInitDue = (): boolean =>
      this.#due.some(({ msg_type, payload }) => msg_type === FRAME_CHANNEL && payload.startsWith("00"));
    for (let ms = 0; ms < RETRY_MS_MAX && isInitDue(); ms++) this.#wait(1);
  }

  #drain(): { readonly sent: Sent[]; readonly codes: readonly ChannelErrorCode[]; readonly wakeMs: number } {
    const sent: Sent[] = [];
    const codes: ChannelErrorCode[] = [];
    for (;;) {
      const output = this.#channel.pollOutput();
      if (output.type === "transmit") sent.push({ frameType: output.frameType, payload: concatBytes(...output.parts) });
      else if (output.type === "rejected" && !output.code.endsWith("-timeout")) codes.push(output.code);
      else if (output.type === "wait") return { sent, codes, wakeMs: output.untilMs };
      else if (output.type === "idle") return { sent, codes, wakeMs: Number.POSITIVE_INFINITY };
    }
  }

  #compareSent(ours: readonly Sent[], recorded: readonly Message[], received: Uint8Array | undefined): void {
    const late = new Set(this.#due.map(({ id }) => id));
    this.#due.push(...recorded);
    for (const sent of [...this.#early.splice(0), ...ours]) {
      const at = this.#due.findIndex((message) => isSameKind(sent, message));
      const [message] = at < 0 ? [] : this.#due.splice(at, 1);
      if (message === undefined) {
        if (sent.frameType === FRAME_CHANNEL && sent.payload[0] === 0) this.#early.push(sent);
        else this.#differ(`${nameOf(sent)} was sent besides`);
        continue;
      }
      this.#sent += 1;
      if (late.has(message.id) && sent.frameType !== FRAME_CHANNEL) this.#held += 1;
      if ((late.has(message.id) || !ours.includes(sent)) && sent.frameType === FRAME_CHANNEL) this.#retried += 1;
      const different = compareMessage(sent, message, this.#certificatePem, received);
      if (different !== undefined) this.#differ(different);
      const head = hex(encodeFrameHeader(sent.frameType, this.#selfId, sent.payload.length));
      // The size in the head differs with the length of a signature; compared where it cannot.
      if (
        message.frame_header !== undefined &&
        sent.payload.length === message.payload.length / 2 &&
        head !== message.frame_header
      ) {
        this.#differ(`${message.id} has another frame head`);
      }
    }
    // What may still come: records that wait for a final, and attempts that wait for the clock.
    const mayWait = ({ msg_type, payload }: Message): boolean =>
      msg_type === FRAME_CHANNEL ? payload.startsWith("00") : this.#channel.state === "WAITING_FOR_FINAL";
    for (const message of this.#due) if (!mayWait(message)) this.#differ(`${message.id} was not sent`);
    this.#due = this.#due.filter(mayWait);
  }

  #compareVerdict(ours: string, recorded: string | undefined, codes: readonly ChannelErrorCode[]): void {
    if (ours === recorded) return;
    this.#differ(codes.length > 0 ? `refused: ${codes.join(", ")}` : `the verdict is ${ours}, not ${recorded}`);
  }

  #facts(): string {
    return JSON.stringify({ ...this.#channel.describe(this.#nowMs), lastError: null });
  }

  #compareState(): void {
    const expected = this.#expected;
    if (expected === undefined) return;
    const { keys, secrets, opened } = this.#injected;
    if (this.#channel.state !== expected.status)
      this.#differ(`the state is ${this.#channel.state}, not ${expected.status}`);
    for (const key of [expected.send_key, expected.recv_key]) {
      if (key !== null && !keys.has(key)) this.#differ("a key is missing");
    }
    if (expected.shared_secret !== null && !secrets.has(expected.shared_secret))
      this.#differ("the shared secret is another");
    // Without keys counters mean nothing; and a responder's own are those of the keys in use until the final, not of the ones to come.
    if (expected.send_key === null || expected.recv_key === null) {
      if (this.#channel.isOpen) this.#differ("keys are in use");
      return;
    }
    if (!this.#channel.isOpen) {
      this.#differ("no keys are in use");
      return;
    }
    const received = opened.get(expected.recv_key) ?? 0;
    if (received !== expected.recv_nonce_last)
      this.#differ(`the last counter received is ${received}, not ${expected.recv_nonce_last}`);
    if (expected.status !== "WAITING_FOR_FINAL" && this.#channel.sent + 1 !== expected.send_nonce_next) {
      this.#differ(`the next counter is ${this.#channel.sent + 1}, not ${expected.send_nonce_next}`);
    }
  }

  #differ(what: string): void {
    this.#differences.push({ event: this.#index, what });
  }
}

function isSameKind({ frameType, payload }: Sent, { msg_type, payload: recorded }: Message): boolean {
  return (
    frameType === msg_type && (frameType !== FRAME_CHANNEL || hex(payload.subarray(0, 1)) === recorded.slice(0, 2))
  );
}

function messagesOf({ events }: Case): readonly Message[] {
  return events.flatMap(({ emitted = [], crafted }) => (crafted === undefined ? emitted : [...emitted, crafted]));
}

function headerBytesOf(payload: Uint8Array): number {
  try {
    return consensusHeaderBytes(payload, { version: 1 });
  } catch (error) {
    if (error instanceof WireError) return payload.length;
    throw error;
  }
}
