/**
 * What must hold at every moment of any run of two channels (channel-v2 §7): no (key, nonce) pair twice, no record accepted twice, changed or by
 * the wrong end, and no two ends ESTABLISHED with different keys for longer than the handshake time-out.
 */
import { nativeSuite } from "@sealane/crypto/native";
import type { ChannelVersionNumber } from "../../src/index.js";
import { makeWorld, other, Pair, type Side } from "../harness.js";
import { WatchedSuite } from "./watched-suite.js";

const world = makeWorld(nativeSuite, "P-256");
export const HANDSHAKE_TIMEOUT_MS = 2_000;
/** Longest time a frame is under way. */
export const DELAY_MS_MAX = 100;
/** Liveness: one time-out may be running, the longest pause is 5 s, and one more time-out may follow. */
const RECOVERY_MS = 10_000;
const LIMITS = { rekeyAtRecords: 6, recordsMax: 12, failedOpensMax: 6 };

export class Run {
  readonly pair: Pair;
  readonly version: ChannelVersionNumber;
  readonly used = new Set<string>();
  /** What was handed to a channel, by name. */
  readonly sent = new Map<string, { readonly side: Side; readonly frameType: number; readonly plaintext: string }>();
  readonly #watched: Readonly<Record<Side, WatchedSuite>>;
  readonly #seen = { low: new Set<string>(), high: new Set<string>() };
  #apartSinceMs: number | undefined;

  constructor(version: ChannelVersionNumber) {
    this.version = version;
    const { used } = this;
    this.#watched = { low: new WatchedSuite(used), high: new WatchedSuite(used) };
    const suites = { low: this.#watched.low.suite, high: this.#watched.high.suite };
    this.pair = new Pair({ world, version, suites, limits: LIMITS, trust: { curves: ["P-256"] } });
  }

  send(side: Side, encrypted: boolean): void {
    const name = `${this.sent.size}`;
    this.sent.set(name, { side, frameType: encrypted ? 2 : 1, plaintext: encrypted ? `plaintext ${name}` : "" });
    if (encrypted) this.pair.sendEncrypted(side, name, `plaintext ${name}`);
    else this.pair.send(side, name);
  }

  restart(side: Side): void {
    this.pair.restart(side);
    this.#watched[side].forget();
  }

  /** Lets time pass in small steps, and checks after each. */
  wait(ms: number): void {
    for (let passed = 0; passed < ms; passed += DELAY_MS_MAX / 2) {
      this.pair.run(Math.min(DELAY_MS_MAX / 2, ms - passed));
      this.check();
    }
  }

  check(): void {
    for (const side of ["low", "high"] as const) this.#checkReceived(side);
    this.#checkAgreement();
  }

  /** The network behaves from now on: both ends have to be able to talk within a bounded time, whatever happened before. */
  checkLiveness(): void {
    this.pair.network = () => [1];
    for (let ms = 0; ms < RECOVERY_MS; ms += 500) {
      this.send("low", false);
      this.send("high", true);
      this.wait(500);
    }
    this.wait(1_000);
    if (!this.pair.talks()) throw new Error("the ends cannot talk though the network behaves");
  }

  #checkReceived(side: Side): void {
    const received = this.pair.logs[side].received.splice(0);
    for (const { header, frameType, plaintext } of received) {
      if (header === "ping") continue;
      if (this.#seen[side].has(header)) throw new Error(`${side} accepted ${header} twice`);
      this.#seen[side].add(header);
      const sent = this.sent.get(header);
      if (sent?.side !== other(side) || sent.frameType !== frameType || sent.plaintext !== plaintext) {
        throw new Error(`${side} accepted ${header}, which was not sent so`);
      }
    }
  }

  #checkAgreement(): void {
    const { pair } = this;
    const isSettled = pair.low.state === "ESTABLISHED" && pair.high.state === "ESTABLISHED";
    // Equal keys are two common ones, one for each direction; a left-over receive key may be a third.
    const common = [...this.#watched.low.held].filter((key) => this.#watched.high.held.has(key));
    if (!isSettled || common.length >= 2) this.#apartSinceMs = undefined;
    else this.#apartSinceMs ??= pair.nowMs;
    const apartMs = pair.nowMs - (this.#apartSinceMs ?? pair.nowMs);
    if (apartMs > HANDSHAKE_TIMEOUT_MS + DELAY_MS_MAX)
      throw new Error(`ESTABLISHED with different keys for ${apartMs} ms`);
  }
}
