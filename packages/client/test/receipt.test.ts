/** Receipts are verified before the caller sees them, whatever the node sends. */
import { createServiceIdentity, endorse, pemEncode, spkiHash, nobleSuite as suite } from "@sealane/crypto";
import { decodeEntry, Ledger, LedgerSecrets, receiptOf } from "@sealane/ledger";
import { ReceiptError, suiteCrypto } from "@sealane/ledger/receipt";
import { fromUtf8, parseNodeId, seqno, utf8, view } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { type Client, ClientError, createClient, type Fetch, type ReceiptOptions } from "../src/index.js";

const times = { notBefore: new Date("2025-01-01"), notAfter: new Date("2035-01-01") };
const service = createServiceIdentity(suite, { name: "service", ...times });
const serviceCertificate = pemEncode("CERTIFICATE", service.certificate);
const CLAIMS = utf8("as the application says");
const { json, cose = new Uint8Array() } = receipt();

function receipt() {
  const keyPair = suite.generateKeyPair("P-384");
  const node = endorse(suite, service, { publicKey: keyPair.publicKey, name: "node", hosts: [], ...times });
  const nodeId = parseNodeId(spkiHash(suite, keyPair.publicKey.spki));
  const secrets = new LedgerSecrets([{ from: seqno(1), key: suite.randomBytes(32) }]);
  const ledger = new Ledger({ suite, secrets });
  const writeSet = [{ name: "records", writes: [[utf8("key"), utf8("value")] as const], removes: [] }];
  const written = ledger.append({ view: view(2), writeSet, claimsDigest: suite.sha256(CLAIMS) });
  const signer = { keyPair: service.keyPair, issuer: "a service", subject: "a ledger", issuedAt: 1_750_000_000 };
  const certificatePem = pemEncode("CERTIFICATE", node);
  const signed = ledger.appendSignature({ view: view(2), nodeId, keyPair, certificatePem, service: signer });
  const decode = (bytes: Uint8Array) => decodeEntry(suite, secrets, bytes);
  return receiptOf(decode(written.bytes), decode(signed.bytes), { suite, secrets });
}

function clientOf(answers: Record<string, Uint8Array | string>): Client {
  const fetch: Fetch = async (url) => {
    const body = answers[new URL(url).pathname + new URL(url).search];
    const bytes = typeof body === "string" ? utf8(body) : (body ?? utf8("?"));
    return {
      status: body === undefined ? 404 : 200,
      text: async () => fromUtf8(bytes),
      arrayBuffer: async () => bytes.slice().buffer,
    };
  };
  return createClient({ urls: ["https://a.example:8001"], fetch });
}

async function codeOf(client: Client, txId: string, options: Partial<ReceiptOptions> = {}): Promise<string> {
  const error = await client.receipt(txId, { serviceCertificate, ...options }).catch((cause: unknown) => cause);
  if (!(error instanceof ClientError)) return "no error";
  if (error.code === "bad-receipt" && error.cause !== undefined) expect(error.cause).toBeInstanceOf(ReceiptError);
  return error.code;
}

const JSON_PATH = "/tx/2.1/receipt?form=json";
const good = clientOf({ [JSON_PATH]: JSON.stringify(json), "/tx/2.1/receipt?form=cose": cose });

describe("client.receipt", () => {
  test("hands on a receipt that verifies, with what it proves, in both forms", async () => {
    const byJson = await good.receipt("2.1", { serviceCertificate, claims: CLAIMS });
    expect(byJson.facts).toMatchObject({ form: "json", transactionId: { view: 2, seqno: 1 } });
    expect(JSON.parse(fromUtf8(byJson.receipt))).toEqual(json);
    const byCose = await good.receipt("2.1", { serviceCertificate, form: "cose", crypto: suiteCrypto(suite) });
    expect(byCose.facts).toMatchObject({ form: "cose", transactionId: { view: 2, seqno: 1 } });
    expect(byCose.receipt).toEqual(cose);
  });

  test("refuses one that proves nothing, or something else", async () => {
    const other = createServiceIdentity(suite, { name: "other", ...times });
    const otherCertificate = pemEncode("CERTIFICATE", other.certificate);
    expect(await codeOf(good, "2.1", { serviceCertificate: otherCertificate })).toBe("bad-receipt");
    expect(await codeOf(good, "2.1", { claims: utf8("other claims") })).toBe("bad-receipt");
    expect(await codeOf(good, "2.1", { serviceCertificate: "no certificate" })).toBe("bad-receipt");
    expect(await codeOf(clientOf({ [JSON_PATH]: "{}" }), "2.1")).toBe("bad-receipt");
    expect(await codeOf(clientOf({ [JSON_PATH]: new Uint8Array(0) }), "2.1")).toBe("bad-receipt");
    // A genuine receipt, but of another transaction than the one asked for.
    expect(await codeOf(clientOf({ "/tx/2.7/receipt?form=json": JSON.stringify(json) }), "2.7")).toBe("bad-receipt");
  });

  test("sends nothing for what is no transaction id", async () => {
    expect(await codeOf(good, "2.1/../x")).toBe("malformed");
  });

  test("works with a fetch that only knows text, for the JSON form", async () => {
    const fetch: Fetch = async () => ({ status: 200, text: async () => JSON.stringify(json) });
    const client = createClient({ urls: ["https://a.example:8001"], fetch });
    expect((await client.receipt("2.1", { serviceCertificate })).facts.form).toBe("json");
  });
});
