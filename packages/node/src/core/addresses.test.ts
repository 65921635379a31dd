import { createSelfSigned, type KeyPair } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { parseJson } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { LoneCore } from "../../test/lone-core.js";
import { validity } from "./identity.js";

const addresses = { nodeAddress: "127.0.0.1:3", apiAddress: "sea.example:4" };

function shown(keyPair: KeyPair): Uint8Array {
  return createSelfSigned(suite, keyPair, { name: "anybody", hosts: [], ...validity(0, 1) });
}

function answerTo(world: LoneCore, body: unknown, caller?: Uint8Array): { status: number; body: unknown } {
  const id = world.request("PUT", "/node/addresses", body, caller);
  const answer = world.settle().find((output) => output.type === "respond" && output.id === id);
  if (answer?.type !== "respond") throw new Error("not answered");
  return { status: answer.status, body: parseJson(answer.body) };
}

describe("PUT /node/addresses", () => {
  it("is believed of the holder of a trusted node's key alone", () => {
    const world = new LoneCore();
    world.settle();
    const forbidden = { status: 403, body: { error: { code: "forbidden" } } };
    expect(answerTo(world, addresses)).toMatchObject(forbidden);
    expect(answerTo(world, addresses, shown(suite.generateKeyPair("P-384")))).toMatchObject(forbidden);
    expect(answerTo(world, addresses, new Uint8Array(100))).toMatchObject({ status: 400 });
    const before = { nodeAddress: "127.0.0.1:1", apiAddress: "127.0.0.1:2" };
    expect(world.core.state(0).nodes).toMatchObject([before]);
    expect(answerTo(world, addresses, shown(world.keyPair))).toMatchObject({ status: 200 });
    expect(world.core.state(0).nodes).toMatchObject([addresses]);
  });

  it("takes two addresses and nothing else", () => {
    const world = new LoneCore();
    world.settle();
    const wrong = [{}, [], { ...addresses, nodeAddress: "nowhere" }, { ...addresses, status: "Trusted" }, "text"];
    for (const body of wrong) expect(answerTo(world, body, shown(world.keyPair))).toMatchObject({ status: 400 });
  });

  it("writes nothing when it is known already", () => {
    const world = new LoneCore();
    world.settle();
    answerTo(world, addresses, shown(world.keyPair));
    const { lastSeqno } = world.core.state(0);
    expect(answerTo(world, addresses, shown(world.keyPair))).toMatchObject({ status: 200 });
    expect(world.core.state(0).lastSeqno).toBe(lastSeqno);
  });
});
