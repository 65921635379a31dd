import { parseCertificate, verifyEndorsement } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { describe, expect, it } from "vitest";
import { LoneCore } from "../../test/lone-core.js";

const DAY_MS = 86_400_000;

/** What a day brings: the certificates, DER, that the node is to keep from then on. */
function certificatesAt(world: LoneCore, day: number): Uint8Array[] {
  world.nowMs = day * DAY_MS;
  world.core.handle({ type: "tick" }, world.nowMs);
  return world.settle().flatMap((output) => (output.type === "certificate" ? [output.certificate] : []));
}

describe("a node's certificate", () => {
  it("is renewed once, when a third of its year is left, for the same key, host and service", () => {
    const world = new LoneCore();
    world.settle();
    expect(certificatesAt(world, 243)).toEqual([]);
    const [renewed, ...more] = certificatesAt(world, 244);
    expect(more).toEqual([]);
    if (renewed === undefined) throw new Error("not renewed");
    verifyEndorsement(suite, renewed, world.service.certificate);
    const { publicKey, hosts, notAfter } = parseCertificate(suite, renewed);
    expect(publicKey.spki).toEqual(world.keyPair.publicKey.spki);
    expect(hosts).toEqual(["127.0.0.1"]);
    expect(notAfter).toEqual(new Date((244 + 365) * DAY_MS));
    expect(certificatesAt(world, 245)).toEqual([]);
    expect(certificatesAt(world, 244 + 244)).toHaveLength(1);
  });

  it("is renewed even after it has ended", () => {
    const world = new LoneCore();
    world.settle();
    expect(certificatesAt(world, 4_000)).toHaveLength(1);
  });
});
