import { createHash, X509Certificate } from "node:crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import { map, utf8Text } from "@sealane/kv";
import { suiteCrypto, verifyReceipt } from "@sealane/ledger/receipt";
import { fromUtf8, utf8 } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineApp, type RunningNode } from "../src/index.js";
import { call, callBytes, found, pair, WatchedNode } from "./support.js";

async function facts(node: RunningNode, path: string, claims?: Uint8Array) {
  const { status, type, body } = await callBytes(node, path);
  expect({ status, body: status === 200 ? "" : fromUtf8(body) }).toEqual({ status: 200, body: "" });
  const serviceCertificate = node.serviceCertificate ?? "";
  const verified = await verifyReceipt(body, {
    crypto: suiteCrypto(suite),
    serviceCertificate,
    ...(claims && { claims }),
  });
  return { type, ...verified };
}

async function put(node: RunningNode, key: string, value: unknown, query = ""): Promise<string> {
  const { status, body } = await call(node, "PUT", `/records/${key}${query}`, { value });
  expect(status).toBe(200);
  return (body as { txId: string }).txId;
}

describe("GET /tx/:txId/receipt", () => {
  it("proves a committed write to whoever has the service certificate, in both forms, at every node", async () => {
    const { primary, backup } = await pair();
    const txId = await put(primary.node, "ship", "Vega");
    const [view, at] = txId.split(".").map(Number);
    for (const { node } of [primary, backup]) {
      const json = await facts(node, `/tx/${txId}/receipt`);
      expect(json).toMatchObject({ form: "json", type: "application/json", transactionId: { view, seqno: at } });
      const cose = await facts(node, `/tx/${txId}/receipt?form=cose`);
      expect(cose).toMatchObject({ form: "cose", type: "application/cose", transactionId: { view, seqno: at } });
      const spki = new X509Certificate(node.serviceCertificate ?? "").publicKey.export({ format: "der", type: "spki" });
      expect(json.serviceId).toBe(createHash("sha256").update(spki).digest("hex"));
    }
  });

  it("waits for the commit of a write that was answered before", async () => {
    const { primary, backup } = await pair();
    const txId = await put(primary.node, "a", 1, "?commit=async");
    expect(await facts(primary.node, `/tx/${txId}/receipt`)).toHaveProperty("transactionId");
    expect(await facts(backup.node, `/tx/${txId}/receipt`)).toHaveProperty("transactionId");
  });

  it("is read back from the files when the entry is no longer in memory, also by the node that comes back", async () => {
    const first = await found();
    const txId = await put(first.node, "first", 1);
    const large = "x".repeat(1_000_000);
    for (let index = 0; index < 40; index++) await put(first.node, `large${index}`, large);
    expect(await facts(first.node, `/tx/${txId}/receipt`)).toHaveProperty("transactionId");
    await first.node.stop();
    const again = await WatchedNode.start({ dataDir: first.dir, service: { type: "resume" } });
    await again.until(() => again.node.state().role === "primary");
    expect(await facts(again.node, `/tx/${txId}/receipt`)).toHaveProperty("transactionId");
  });

  it("carries what the application claims", async () => {
    const notes = map("notes", { key: utf8Text, value: utf8Text });
    const claim = (text: string): Uint8Array => utf8(`noted: ${text}`);
    const app = defineApp({
      name: "notes",
      reads: {},
      writes: {
        "POST /notes": {
          body: z.strictObject({ text: z.string() }),
          handler(tx, { body }) {
            tx.map(notes).put("last", body.text);
            return { body: {}, claimsDigest: suite.sha256(claim(body.text)) };
          },
        },
        "POST /wrong": {
          handler(tx) {
            tx.map(notes).put("last", "");
            return { body: {}, claimsDigest: new Uint8Array(31) };
          },
        },
      },
    });
    const { node } = await WatchedNode.start({ service: { type: "new" }, app });
    const { body } = await call(node, "POST", "/notes", { text: "low tide" });
    const path = `/tx/${(body as { txId: string }).txId}/receipt`;
    expect((await facts(node, path, claim("low tide"))).claimsDigest).toEqual(suite.sha256(claim("low tide")));
    await expect(facts(node, path, claim("high tide"))).rejects.toMatchObject({ code: "claims-mismatch" });
    expect(await call(node, "POST", "/wrong")).toMatchObject({ status: 500, body: { error: { code: "internal" } } });
    expect(await call(node, "POST", "/notes", { text: "again" })).toMatchObject({ status: 200 });
  });

  it.each([
    ["/tx/1.1/receipt", 404, "not-found", false],
    ["/tx/2.9999/receipt", 503, "timeout", true],
    ["/tx/x/receipt", 400, "malformed", false],
    ["/tx/2.1/receipt?form=xml", 400, "malformed", false],
    ["/tx/2.2/receipt?form=cose", 404, "not-found", false],
  ])("refuses %s", async (path, status, code, retryable) => {
    const { node } = await WatchedNode.start({ service: { type: "new" }, commitTimeoutMs: 200 });
    expect(await call(node, "GET", path)).toMatchObject({ status, body: { error: { code, retryable } } });
  });
});
