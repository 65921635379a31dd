/** channel-v2 §1 to §3, sentence by sentence: conventions, messages, checks. */
import { nativeSuite } from "@sealane/crypto/native";
import { concatBytes, nodeIdBytes, utf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { forgeFinal, forgeInit, forgeResponse } from "./forge.js";
import { CONFIRM, establishedPair, FINAL, flip, INIT, makeWorld, Pair, RESPONSE } from "./harness.js";

const world = makeWorld();
const P384_ORDER = 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n;

/** The four messages of one exchange in which the lower end initiates. */
function messages(pair = establishedPair({ world })): Record<"init" | "response" | "final" | "confirm", Uint8Array> {
  const one = (kind: number): Uint8Array => {
    const [message, ...more] = pair.handshake(kind);
    if (message === undefined || more.length > 0) throw new Error(`expected one message of kind ${kind}`);
    return message;
  };
  return { init: one(INIT), response: one(RESPONSE), final: one(FINAL), confirm: one(CONFIRM) };
}

const u64 = (bytes: Uint8Array, offset: number): bigint =>
  new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(offset, true);
const hash = (...parts: Uint8Array[]): Uint8Array => nativeSuite.sha384(...parts);
const above = (message: Uint8Array, signatureBytes = 96): Uint8Array => message.subarray(0, -signatureBytes);
const verifies = (side: "low" | "high", role: string, transcriptHash: Uint8Array, message: Uint8Array): boolean =>
  nativeSuite.verify(
    world[side].keyPair.publicKey,
    concatBytes(utf8(`sealane/channel/2/${role}`), Uint8Array.of(0), transcriptHash),
    message.subarray(-96),
  );

describe("§1 conventions", () => {
  it("signatures: P-256 with SHA-256 where the service allows it, 64 bytes, key shares on P-384 all the same", () => {
    const p256 = makeWorld(nativeSuite, "P-256");
    const pair = establishedPair({ world: p256, trust: { curves: ["P-384", "P-256"] } });
    const { init, final } = messages(pair);
    const certificate = p256.low.certificate;
    expect(init.length).toBe(16 + 64 + 32 + 97 + 4 + certificate.length + 64);
    expect(final.length).toBe(24 + 64);
    expect(pair.talks()).toBe(true);
  });

  it("signatures: low and high s are both accepted", () => {
    const init = forgeInit(world, "low");
    const s = init.subarray(-48);
    const value = BigInt(`0x${Buffer.from(s).toString("hex")}`);
    const mirrored = Buffer.from((P384_ORDER - value).toString(16).padStart(96, "0"), "hex");
    expect(new Pair({ world }).handle("high", init)).toEqual([]);
    expect(new Pair({ world }).handle("high", concatBytes(init.subarray(0, -48), mirrored))).toEqual([]);
  });

  it.each([
    ["another role", "sealane/channel/2/response\0"],
    ["no role", "sealane/channel/2/\0"],
    ["another version", "sealane/channel/1/init\0"],
    ["no zero byte", "sealane/channel/2/init"],
  ])("a signature with %s in front of the hash is refused", (_, label) => {
    expect(new Pair({ world }).handle("high", forgeInit(world, "low", {}, { label }))).toEqual(["bad-signature"]);
  });

  it("a channel is configured for exactly one version and refuses the other", () => {
    for (const kind of [0, 1, 2]) {
      const versionOne = concatBytes(
        Uint8Array.of(kind, 0, 0, 0, 0, 0, 0, 0),
        Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0),
        new Uint8Array(900),
      );
      expect(new Pair({ world }).handle("high", versionOne)).toEqual(["unknown-kind"]);
    }
  });
});

describe("§2 messages", () => {
  const { init, response, final, confirm } = messages();
  const { low, high } = world;

  it("init is laid out as the table says and signed over H1", () => {
    expect([u64(init, 0), u64(init, 8)]).toEqual([16n, 2n]);
    expect(init.subarray(16, 80)).toEqual(concatBytes(nodeIdBytes(low.id), nodeIdBytes(high.id)));
    expect(init[112]).toBe(0x04);
    expect(init.subarray(213, -96)).toEqual(low.certificate);
    expect(init.length).toBe(16 + 64 + 32 + 97 + 4 + low.certificate.length + 96);
    expect(verifies("low", "init", hash(above(init)), init)).toBe(true);
  });

  it("response names the handshake, the first 8 bytes of SHA-384(init), and is signed over H2", () => {
    expect([u64(response, 0), u64(response, 8)]).toEqual([17n, 2n]);
    expect(response.subarray(16, 24)).toEqual(hash(init).subarray(0, 8));
    expect(response.subarray(157, -96)).toEqual(high.certificate);
    expect(response.length).toBe(24 + 32 + 97 + 4 + high.certificate.length + 96);
    expect(verifies("high", "response", hash(init, above(response)), response)).toBe(true);
  });

  it("final is signed over H3", () => {
    expect([u64(final, 0), u64(final, 8)]).toEqual([18n, 2n]);
    expect(final.subarray(16, 24)).toEqual(hash(init).subarray(0, 8));
    expect(final.length).toBe(24 + 96);
    expect(verifies("low", "final", hash(init, response, above(final)), final)).toBe(true);
  });

  it("confirm is a header of 24 bytes and a record trailer with counter 1", () => {
    expect([u64(confirm, 0), u64(confirm, 8)]).toEqual([19n, 2n]);
    expect(confirm.subarray(16, 24)).toEqual(hash(init).subarray(0, 8));
    expect(confirm.length).toBe(24 + 28);
    expect(u64(confirm, 28)).toBe(1n);
  });

  it("messages made by other means from the text alone are accepted", () => {
    const pair = new Pair({ world, network: () => [] });
    const ownInit = forgeInit(world, "low");
    expect(pair.handle("high", ownInit)).toEqual([]);
    const [answer = new Uint8Array(0)] = pair.handshake(RESPONSE);
    expect(pair.handle("high", forgeFinal(world, "low", ownInit, answer))).toEqual([]);
    expect(pair.high.state).toBe("ESTABLISHED");
    pair.initiate("low");
    expect(pair.handle("low", forgeResponse(world, "high", pair.handshake(INIT)[0] ?? ownInit))).toEqual([]);
    expect(pair.low.state).toBe("ESTABLISHED");
  });
});

describe("§3 checks, all before any state changes", () => {
  const p256 = makeWorld(nativeSuite, "P-256");
  const options = {
    world: p256,
    trust: { curves: ["P-256"] as const },
    network: () => [],
    limits: { attemptsBurst: 1e6, attemptsPerSecond: 1e6 },
  };
  const shown = (pair: Pair) =>
    [pair.low, pair.high].map((channel) => ({
      ...channel.describe(pair.nowMs),
      lastError: null,
      inExchange: channel.isInExchange,
      activity: channel.lastActivityMs,
      wait: channel.pollOutput(),
    }));

  /** Plays one exchange by hand. Before each message is delivered, every change of it is refused and changes nothing. */
  function playWith(changesOf: (message: Uint8Array) => Iterable<Uint8Array>): number {
    const pair = new Pair(options);
    pair.initiate("low");
    let refused = 0;
    for (const [kind, to] of [
      [INIT, "high"],
      [RESPONSE, "low"],
      [FINAL, "high"],
      [CONFIRM, "low"],
    ] as const) {
      const genuine = pair.handshake(kind)[0];
      if (genuine === undefined) throw new Error(`no message of kind ${kind}`);
      const before = shown(pair);
      const sent = pair.sent.length;
      for (const changed of changesOf(genuine)) {
        expect(pair.handle(to, changed), `kind ${kind}`).toHaveLength(1);
        refused += 1;
      }
      expect(shown(pair)).toEqual(before);
      expect(pair.sent).toHaveLength(sent);
      expect(pair.handle(to, genuine)).toEqual([]);
    }
    expect(pair.talks()).toBe(true);
    return refused;
  }

  it("a bit flipped in each byte of each message of an exchange is refused", () => {
    // All bits of all bytes are flipped in `hostile.long.test.ts`. Inside the certificates, which cost a parse each, every fourth byte.
    const certificates: readonly [kind: number, start: number][] = [
      [INIT, 16 + 64 + 32 + 97 + 4],
      [RESPONSE, 24 + 32 + 97 + 4],
    ];
    const refused = playWith(function* (message) {
      const start = certificates.find(([kind]) => kind === message[0])?.[1] ?? message.length;
      for (let byte = 0; byte < message.length; byte++) {
        const isInCertificate = byte >= start && byte < message.length - 96;
        if (!isInCertificate || byte % 4 === 0) yield flip(message, 8 * byte + (byte % 8));
      }
    });
    expect(refused).toBeGreaterThan(800);
  });

  it("every truncation and every message with a byte more is refused", () => {
    playWith(function* (message) {
      for (let length = 0; length < message.length; length++) yield message.slice(0, length);
      for (let byte = 0; byte < 256; byte++) yield concatBytes(message, Uint8Array.of(byte));
    });
  });

  it("every message with two neighbouring bytes exchanged is refused", () => {
    playWith(function* (message) {
      for (let at = 0; at + 1 < message.length; at += 7) {
        const [a = 0, b = 0] = message.subarray(at, at + 2);
        if (a !== b) yield concatBytes(message.subarray(0, at), Uint8Array.of(b, a), message.subarray(at + 2));
      }
    });
  });

  it("messages of one exchange are refused in any other", () => {
    const old = messages(establishedPair({ world }));
    const pair = new Pair({ world, network: () => [] });
    pair.initiate("low");
    const genuine = pair.handshake(INIT)[0] ?? new Uint8Array(0);
    expect(pair.handle("low", old.response)).toEqual(["unknown-handshake"]);
    // Named after the new handshake, with everything else of the old.
    const renamed = (message: Uint8Array) =>
      concatBytes(message.subarray(0, 16), hash(genuine).subarray(0, 8), message.subarray(24));
    expect(pair.handle("low", renamed(old.response))).toEqual(["bad-signature"]);
    expect(pair.handle("high", genuine)).toEqual([]);
    expect(pair.handle("high", old.final)).toEqual(["unknown-handshake"]);
    expect(pair.handle("high", renamed(old.final))).toEqual(["bad-signature"]);
  });

  it("a message reflected to its sender is refused", () => {
    const pair = establishedPair({ world });
    const { init, response, final, confirm } = messages(pair);
    pair.network = () => [];
    expect(pair.handle("low", init)).toEqual(["wrong-receiver"]);
    expect(pair.handle("high", response)).toEqual(["no-attempt"]);
    expect(pair.handle("low", final)).toEqual(["unknown-handshake"]);
    expect(pair.handle("high", confirm)).toEqual(["unknown-key"]);
  });

  it("the peer is told nothing: a refusal sends no frame", () => {
    const pair = new Pair({ world });
    pair.handle("high", flip(forgeInit(world, "low"), 800));
    expect(pair.sent).toEqual([]);
  });

  it("the set of known nodes is asked for every message: a node that is retired meanwhile is refused", () => {
    let isKnown = true;
    const pair = new Pair({ world, network: () => [], trust: { trusted: () => isKnown } });
    pair.initiate("low");
    pair.handle("high", pair.handshake(INIT)[0] ?? new Uint8Array(0));
    isKnown = false;
    expect(pair.handle("low", pair.handshake(RESPONSE)[0] ?? new Uint8Array(0))).toEqual(["untrusted"]);
    isKnown = true;
    expect(pair.handle("low", pair.handshake(RESPONSE)[0] ?? new Uint8Array(0))).toEqual([]);
    isKnown = false;
    expect(pair.handle("high", pair.handshake(FINAL)[0] ?? new Uint8Array(0))).toEqual(["untrusted"]);
  });

  it("validity times are checked only if configured", () => {
    const expired = { nowMs: () => Date.parse("2050-01-01") };
    expect(new Pair({ world }).handle("high", forgeInit(world, "low"))).toEqual([]);
    expect(new Pair({ world, trust: expired }).handle("high", forgeInit(world, "low"))).toEqual([
      "certificate-expired",
    ]);
  });

  it("an endorsed node, or whoever stole its key, cannot act as another node", () => {
    const pair = new Pair({ world, network: () => [] });
    // High's genuine key and certificate under low's id, towards a third node: here high itself.
    const stolen = world.high;
    const init = forgeInit(world, "low", { certificate: stolen.certificate }, { signer: stolen.keyPair });
    expect(pair.handle("high", init)).toEqual(["identity-mismatch"]);
    // Low's certificate, but signed with a key that is not low's.
    expect(pair.handle("high", forgeInit(world, "low", {}, { signer: stolen.keyPair }))).toEqual(["bad-signature"]);
  });
});
