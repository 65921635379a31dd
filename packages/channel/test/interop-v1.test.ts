/** Ours against the node of channel-v1-wire §5, over a link that keeps order: every role, the collision, renewals under load, lost state. */
import { nativeSuite } from "@sealane/crypto/native";
import { concatBytes, FRAME_CHANNEL, FRAME_CONSENSUS, FRAME_FORWARDED, utf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { Channel } from "../src/index.js";
import { HEADER_BYTES, header, makeWorld, other, type Side } from "./harness.js";
import { type Out, Section5Node } from "./section-5-node.js";

const world = makeWorld(nativeSuite);
const PLAINTEXT = utf8("plaintext");

/** One end of each, and what is under way between them. */
class Link {
  readonly theirs: Section5Node;
  ours: Channel;
  readonly accepted: string[] = [];
  readonly refused: string[] = [];
  nowMs = 0;
  #toTheirs: Out[] = [];
  readonly #ourSide: Side;
  readonly #limit: number;

  constructor(ourSide: Side, limit = 1_000) {
    this.#ourSide = ourSide;
    this.#limit = limit;
    this.theirs = new Section5Node(world[other(ourSide)], world[ourSide], limit);
    this.ours = this.#make();
  }

  restartOurs(): void {
    this.ours = this.#make();
  }

  /** True when it went out, or waits and will. */
  send(name: string): boolean {
    if (!this.ours.isOpen || this.ours.isInExchange) return false;
    const trailer = this.ours.seal(header(name), this.nowMs);
    if (trailer !== undefined)
      this.#toTheirs.push({ frameType: FRAME_CONSENSUS, payload: concatBytes(header(name), trailer) });
    this.drain();
    return true;
  }

  drain(): void {
    for (;;) {
      const output = this.ours.pollOutput();
      if (output.type === "transmit")
        this.#toTheirs.push({ frameType: output.frameType, payload: concatBytes(...output.parts) });
      else if (output.type === "rejected") this.refused.push(output.code);
      else if (output.type === "wait" || output.type === "idle") return;
    }
  }

  /** Delivers one frame in one direction. False: nothing is under way there. */
  step(to: "ours" | "theirs"): boolean {
    this.drain();
    const frame = to === "theirs" ? this.#toTheirs.shift() : this.theirs.out.shift();
    if (frame === undefined) return false;
    if (to === "theirs") this.theirs.receive(frame);
    else if (frame.frameType === FRAME_CHANNEL) this.ours.handleFrame(frame.payload, this.nowMs);
    else if (this.ours.open(frame.frameType, HEADER_BYTES, frame.payload, this.nowMs) !== undefined) {
      this.accepted.push(String.fromCharCode(...frame.payload.subarray(0, HEADER_BYTES)).trimEnd());
    }
    this.drain();
    return true;
  }

  run(forMs = 0): this {
    for (const endMs = this.nowMs + forMs; ; this.nowMs += 10) {
      this.ours.handleTick(this.nowMs);
      while (this.step("theirs") || this.step("ours"));
      if (this.nowMs >= endMs) return this;
    }
  }

  #make(): Channel {
    return new Channel({
      suite: nativeSuite,
      version: 1,
      self: world[this.#ourSide],
      peer: world[other(this.#ourSide)].id,
      trust: { serviceCertificate: world.service.certificate, trusted: () => true },
      limits: { recordsMax: this.#limit, attemptsPerSecond: 1_000, attemptsBurst: 1_000 },
    });
  }
}

describe.each(["low", "high"] as const)("ours has the %s id", (side) => {
  it("ours starts, and both read each other", () => {
    const link = new Link(side);
    link.ours.initiate(0);
    link.run();
    link.send("a");
    link.theirs.send(FRAME_FORWARDED, header("b"), PLAINTEXT);
    link.run();
    expect([link.accepted, link.theirs.accepted, link.theirs.status, link.ours.state]).toEqual([
      ["b"],
      ["a"],
      "ESTABLISHED",
      "ESTABLISHED",
    ]);
  });

  it("theirs starts, with messages queued, and both read each other", () => {
    const link = new Link(side);
    link.theirs.send(FRAME_CONSENSUS, header("b"));
    link.theirs.send(FRAME_FORWARDED, header("c"), PLAINTEXT);
    link.run();
    link.send("a");
    link.run();
    expect([link.accepted, link.theirs.accepted, link.refused, link.theirs.refused]).toEqual([
      ["b", "c"],
      ["a"],
      [],
      0,
    ]);
  });

  it("ours starts, and reads what theirs sends right behind its response", () => {
    const link = new Link(side);
    link.ours.initiate(0);
    link.step("theirs");
    link.theirs.send(FRAME_CONSENSUS, header("early"));
    link.run();
    expect([link.accepted, link.refused]).toEqual([["early"], []]);
  });

  it("both start at once", () => {
    const link = new Link(side);
    link.ours.initiate(0);
    link.theirs.send(FRAME_CONSENSUS, header("b"));
    link.run();
    link.send("a");
    link.run();
    expect([link.accepted, link.theirs.accepted, link.theirs.exchanges, link.ours.exchanges]).toEqual([
      ["b"],
      ["a"],
      1,
      1,
    ]);
  });

  it("an end that lost its state comes back, whichever it is", () => {
    const link = new Link(side);
    link.ours.initiate(0);
    link.run();
    link.restartOurs();
    link.theirs.send(FRAME_CONSENSUS, header("lost"));
    link.run();
    link.send("a");
    link.theirs.send(FRAME_CONSENSUS, header("b"));
    link.run();
    expect([link.accepted, link.theirs.accepted]).toEqual([["b"], ["a"]]);
  });

  it.each([16, 40, 101])(
    "renewals under load with a limit of %i: every message of both is accepted, in order",
    (limit) => {
      const link = new Link(side, limit);
      link.ours.initiate(0);
      link.run();
      const sent = { ours: [] as string[], theirs: [] as string[] };
      // A fixed pattern of sends and deliveries, uneven in both directions, with frames of both under way at all times.
      for (let turn = 0; turn < 300; turn++) {
        if (turn % 3 !== 1 && link.send(`o${turn}`)) sent.ours.push(`o${turn}`);
        // Theirs has no way to wait, other than not to send while keys change.
        if (turn % 4 !== 2 && link.theirs.status === "ESTABLISHED") {
          link.theirs.send(FRAME_CONSENSUS, header(`t${turn}`));
          sent.theirs.push(`t${turn}`);
        }
        if (turn % 2 === 0) link.step("theirs");
        if (turn % 5 !== 0) link.step("ours");
        if (turn % 7 === 0) link.step("theirs");
      }
      link.run(20);
      expect(link.ours.exchanges).toBeGreaterThan(limit === 101 ? 2 : 4);
      expect(link.theirs.accepted).toEqual(sent.ours);
      expect(link.accepted).toEqual(sent.theirs);
      expect([sent.ours.length > 100, sent.theirs.length > 100]).toEqual([true, true]);
    },
  );
});
