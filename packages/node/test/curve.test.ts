import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { createSelfSigned } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { verifyLedger } from "@sealane/ledger";
import { ledgerDirectory } from "@sealane/ledger/files";
import { suiteCrypto, verifyReceipt } from "@sealane/ledger/receipt";
import { base64, fromUtf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { LoneCore } from "./lone-core.js";
import { call, callBytes, joined, WatchedNode } from "./support.js";

function curveOf(pem: string | undefined): string | undefined {
  return new X509Certificate(pem ?? "").publicKey.asymmetricKeyDetails?.namedCurve;
}

describe("a service on P-256", () => {
  it("has all its keys there, from channels to receipts, and comes back so", async () => {
    const primary = await WatchedNode.start({ service: { type: "new", curve: "P-256" } });
    const { serviceCertificate = "" } = primary.node;
    expect(curveOf(serviceCertificate)).toBe("prime256v1");
    const backup = await joined(primary);
    const { status, body } = await call(backup.node, "PUT", "/records/a", { value: 1 });
    expect(status).toBe(200);
    const { txId } = body as { txId: string };
    for (const form of ["json", "cose"]) {
      const receipt = await callBytes(primary.node, `/tx/${txId}/receipt?form=${form}`);
      const verified = await verifyReceipt(receipt.body, { crypto: suiteCrypto(suite), serviceCertificate });
      expect(verified).toHaveProperty("form", form);
      if (form === "json") expect(curveOf(JSON.parse(fromUtf8(receipt.body)).cert)).toBe("prime256v1");
    }
    await Promise.all([primary.node.stop(), backup.node.stop()]);
    for (const { dir } of [primary, backup]) {
      const source = ledgerDirectory(join(dir, "ledger"));
      expect(await verifyLedger(source, { suite, serviceCertificate })).toMatchObject({ ok: true });
    }
    const again = await Promise.all(
      [primary, backup].map(({ dir }) => WatchedNode.start({ dataDir: dir, service: { type: "resume" } })),
    );
    await Promise.race(again.map((node) => node.until(() => node.node.state().role === "primary")));
    for (const { node } of again) expect(await call(node, "GET", "/records/a")).toMatchObject({ body: { value: 1 } });
  });
});

describe("a service on P-384", () => {
  it("takes no node with a key on P-256", () => {
    const core = new LoneCore();
    core.settle();
    const keyPair = suite.generateKeyPair("P-256");
    const [notBefore, notAfter] = [new Date(0), new Date(1e12)];
    const certificate = createSelfSigned(suite, keyPair, { name: "joiner", hosts: [], notBefore, notAfter });
    const request = {
      publicKey: base64(keyPair.publicKey.spki),
      nodeAddress: "127.0.0.1:3",
      apiAddress: "127.0.0.1:4",
    };
    const id = core.request("POST", "/node/join", request, certificate);
    const answer = core.settle().find((output) => output.type === "respond" && output.id === id);
    expect(answer).toMatchObject({ status: 403 });
  });
});
