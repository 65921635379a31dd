import { nobleSuite, pemEncode, signatureToDer } from "@sealane/crypto";
import { base64, concatBytes, fromBase64, fromHex, hex, utf8 } from "@sealane/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { at, createService, node as otherNode, suite } from "../../test/fixture.js";
import { CLAIMS, receiptWorld, signAgain } from "../../test/receipts.js";
import { ReceiptError } from "./errors.js";
import { type JsonReceipt, RECEIPT_BYTES_MAX } from "./read-receipt.js";
import { type ReceiptCrypto, suiteCrypto, webCrypto } from "./receipt-crypto.js";
import { verifyReceipt } from "./verify-receipt.js";

const world = receiptWorld();
const { servicePem, service } = world;
const native = suiteCrypto(suite);
const options = { crypto: native, serviceCertificate: servicePem };

function codeFor(receipt: Uint8Array | string | object, more: object = {}): Promise<unknown> {
  const input = typeof receipt === "string" || receipt instanceof Uint8Array ? receipt : JSON.stringify(receipt);
  return verifyReceipt(input, { ...options, ...more }).then(
    () => "no error",
    (error: unknown) => (error instanceof ReceiptError ? error.code : error),
  );
}

function coseOf(seqno: number): Uint8Array {
  const { cose } = world.receipt(seqno);
  if (cose === undefined) throw new Error("it has a COSE form");
  return cose;
}

describe.each<[string, ReceiptCrypto]>([
  ["the native suite", native],
  ["the noble suite", suiteCrypto(nobleSuite)],
  ["Web Crypto", webCrypto(globalThis.crypto.subtle)],
])("with %s", (_, crypto) => {
  test("each transaction's receipt verifies in both forms, with the same facts", async () => {
    for (const seqno of [1, 2, 3, 4, 6, 7, 8]) {
      const built = world.receipt(seqno);
      const json = await verifyReceipt(JSON.stringify(built.json), { ...options, crypto });
      const cose = await verifyReceipt(coseOf(seqno), { ...options, crypto });
      const common = {
        transactionId: { view: 2, seqno },
        leaf: built.leaf,
        root: built.root,
        serviceId: cose.serviceId,
      };
      expect(json).toMatchObject({ form: "json", nodeId: world.node.nodeId, ...common });
      expect(cose).toMatchObject({ form: "cose", signature: { txId: built.signatureTxId }, ...common });
      expect(json.writeSetDigest).toEqual(cose.writeSetDigest);
    }
  });

  test("the receipt of a signature transaction proves the root that it signed", async () => {
    const built = world.receipt(5);
    expect(built.json.proof).toEqual([]);
    expect(built.cose).toBeUndefined();
    const facts = await verifyReceipt(JSON.stringify(built.json), { ...options, crypto });
    expect(facts).toMatchObject({ root: built.root, leaf: built.root });
    expect(facts.transactionId).toBeUndefined();
    expect(await codeFor({ ...built.json, leaf: "00".repeat(32) }, { crypto })).toBe("bad-signature");
  });
});

test("the steps are those of §9.3, in order", async () => {
  const { json } = world.receipt(3);
  const { steps, root, leaf, serviceId, nodeId } = await verifyReceipt(JSON.stringify(json), options);
  const folds = json.proof.map(() => "fold");
  expect(steps.map(({ type }) => type)).toEqual(["evidence", "claims", "leaf", ...folds, "signature", "endorsement"]);
  expect(steps[2]).toEqual({ type: "leaf", digest: leaf });
  expect(steps.at(-2)).toEqual({ type: "signature", by: "node", root, keyId: nodeId });
  expect(steps.at(-1)).toEqual({ type: "endorsement", keyId: nodeId, issuerKeyId: serviceId });
});

test("an error carries the steps before it", async () => {
  const { json } = world.receipt(3);
  const error = await verifyReceipt(JSON.stringify({ ...json, node_id: otherNode.nodeId }), options).catch((e) => e);
  expect(error.steps.map(({ type }: { type: string }) => type)).toEqual([
    "evidence",
    "claims",
    "leaf",
    ...json.proof.map(() => "fold"),
  ]);
});

describe("claims", () => {
  test("are proved when they are shown", async () => {
    const { json } = world.receipt(3);
    const facts = await verifyReceipt(JSON.stringify(json), { ...options, claims: CLAIMS });
    expect(facts.claimsDigest).toEqual(suite.sha256(CLAIMS));
    expect((await verifyReceipt(coseOf(3), { ...options, claims: CLAIMS })).claimsDigest).toEqual(facts.claimsDigest);
  });

  test("a receipt may leave the digest out for whoever has the claims", async () => {
    const { json } = world.receipt(3);
    const { claims_digest, ...components } = json.leaf_components ?? {};
    const without = JSON.stringify({ ...json, leaf_components: components });
    expect(claims_digest).toBe(hex(suite.sha256(CLAIMS)));
    expect((await verifyReceipt(without, { ...options, claims: CLAIMS })).claimsDigest).toEqual(suite.sha256(CLAIMS));
    expect(await codeFor(without)).toBe("bad-signature");
  });

  test("others are refused", async () => {
    for (const seqno of [2, 3, 5]) {
      expect(await codeFor(world.receipt(seqno).json, { claims: utf8("something else") })).toBe("claims-mismatch");
    }
    expect(await codeFor(coseOf(3), { claims: utf8("something else") })).toBe("claims-mismatch");
  });
});

test("a chain of service identities leads to the present one, link by link", async () => {
  const [second, third] = [createService(), createService()];
  const pemOf = ({ certificate }: typeof service) => pemEncode("CERTIFICATE", certificate);
  const chain = [signAgain(servicePem, second), signAgain(pemOf(second), third)];
  const json = { ...world.receipt(3).json, service_endorsements: chain };
  const facts = await verifyReceipt(JSON.stringify(json), { ...options, serviceCertificate: pemOf(third) });
  const links = facts.steps.flatMap((step) => (step.type === "endorsement" ? [[step.keyId, step.issuerKeyId]] : []));
  const idOf = ({ keyPair }: typeof service) => hex(suite.sha256(keyPair.publicKey.spki));
  expect(links).toEqual([
    [world.node.nodeId, idOf(service)],
    [idOf(service), idOf(second)],
    [idOf(second), idOf(third)],
  ]);
  // Cut, in another order, or for another service.
  const against = { serviceCertificate: pemOf(third) };
  expect(await codeFor({ ...json, service_endorsements: chain.slice(1) }, against)).toBe("not-endorsed");
  expect(await codeFor({ ...json, service_endorsements: chain.slice(0, 1) }, against)).toBe("not-endorsed");
  expect(await codeFor({ ...json, service_endorsements: [...chain].reverse() }, against)).toBe("not-endorsed");
  expect(await codeFor(json)).toBe("not-endorsed");
  // A node's certificate endorses nothing.
  const { certificatePem } = world.node;
  expect(await codeFor({ ...json, service_endorsements: [certificatePem] }, against)).toBe("bad-certificate");
});

test("a transaction that says nothing of claims has a leaf of two digests, and no claims among the facts", async () => {
  const [writeSet, sibling] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const evidence = `ce:2.3:${"11".repeat(32)}`;
  const leaf = suite.sha256(writeSet, suite.sha256(utf8(evidence)));
  const { nodeId, keyPair, certificatePem } = world.node;
  const json = {
    signature: base64(signatureToDer(suite.sign(keyPair.privateKey, concatBytes(leaf, sibling), "SHA-256"))),
    proof: [{ right: hex(sibling) }],
    node_id: nodeId,
    cert: certificatePem,
    leaf_components: { write_set_digest: hex(writeSet), commit_evidence: evidence },
  };
  const facts = await verifyReceipt(JSON.stringify(json), options);
  expect(facts.leaf).toEqual(leaf);
  expect(facts).not.toHaveProperty("claimsDigest");
  expect(facts.steps.map(({ type }) => type)).toEqual(["evidence", "leaf", "fold", "signature", "endorsement"]);
  expect(await codeFor(json, { claims: utf8("something") })).toBe("bad-signature");
});

describe("refused", () => {
  const { json } = world.receipt(3);
  const components = json.leaf_components ?? { write_set_digest: "", commit_evidence: "" };
  const other = "11".repeat(32);

  test.each<[string, Partial<Record<keyof JsonReceipt, unknown>>, string]>([
    ["another write set digest", { leaf_components: { ...components, write_set_digest: other } }, "bad-signature"],
    ["another claims digest", { leaf_components: { ...components, claims_digest: other } }, "bad-signature"],
    [
      "evidence of another transaction",
      { leaf_components: { ...components, commit_evidence: `ce:2.4:${other}` } },
      "bad-signature",
    ],
    ["no evidence", { leaf_components: { ...components, commit_evidence: "ce:2.3" } }, "bad-evidence"],
    [
      "a view of more than 31 bits",
      { leaf_components: { ...components, commit_evidence: `ce:2147483648.3:${other}` } },
      "bad-evidence",
    ],
    ["a shorter path", { proof: json.proof.slice(1) }, "bad-signature"],
    ["no path", { proof: [] }, "malformed"],
    ["too long a path", { proof: Array(54).fill({ left: other }) }, "malformed"],
    ["a step with both sides", { proof: [{ left: other, right: other }] }, "malformed"],
    ["a step without a side", { proof: [{}] }, "malformed"],
    ["the node id of another key", { node_id: other }, "node-id-mismatch"],
    ["the certificate of another node", { cert: otherNode.certificatePem }, "node-id-mismatch"],
    ["the service's certificate for the node's", { cert: servicePem }, "bad-certificate"],
    ["no certificate", { cert: "nothing" }, "bad-certificate"],
    ["no signature", { signature: "" }, "bad-signature"],
    ["text for a signature", { signature: "###" }, "malformed"],
    ["both a leaf and components", { leaf: other }, "malformed"],
    ["neither", { leaf_components: undefined }, "malformed"],
    ["an unknown member", { [`${"more"}`]: 1 } as object, "malformed"],
    ["a missing member", { node_id: undefined }, "malformed"],
    ["the wrong kind of receipt", { is_signature_transaction: true }, "malformed"],
    ["too many endorsements", { service_endorsements: Array(33).fill("") }, "malformed"],
  ])("%s", async (_, change, code) => {
    expect(await codeFor({ ...json, ...change })).toBe(code);
  });

  test("nothing is wrong with the one that was changed, in its later shape too", async () => {
    expect(await codeFor(json)).toBe("no error");
    expect(await codeFor({ ...json, is_signature_transaction: false, service_endorsements: [] })).toBe("no error");
  });

  test("another service", async () => {
    const serviceCertificate = pemEncode("CERTIFICATE", createService().certificate);
    expect(await codeFor(json, { serviceCertificate })).toBe("not-endorsed");
    expect(await codeFor(coseOf(3), { serviceCertificate })).toBe("other-service");
  });

  test("a service certificate that is none", async () => {
    for (const serviceCertificate of ["", "text", otherNode.certificatePem]) {
      expect(await codeFor(json, { serviceCertificate })).toBe("bad-service-certificate");
    }
  });

  test("what is too large", async () => {
    expect(await codeFor(" ".repeat(RECEIPT_BYTES_MAX + 1))).toBe("too-large");
    expect(await codeFor(new Uint8Array(RECEIPT_BYTES_MAX + 1))).toBe("too-large");
    const text = JSON.stringify(json);
    expect(await codeFor(text + " ".repeat(RECEIPT_BYTES_MAX - text.length))).toBe("no error");
    const step = { left: other };
    expect(await codeFor({ ...json, proof: Array(53).fill(step) })).toBe("bad-signature");
    expect(await codeFor({ ...json, service_endorsements: Array(32).fill("") })).toBe("bad-certificate");
  });

  test("a certificate behind or in front of which there is more, but for the NUL that some releases left there", async () => {
    expect(await codeFor({ ...json, cert: `${json.cert}\0` })).toBe("no error");
    for (const cert of [`\0${json.cert}`, `${json.cert}\0\0`, `${json.cert}x`]) {
      expect(await codeFor({ ...json, cert })).toBe("bad-certificate");
    }
  });

  test("a signature transaction's that is said to be another's, or the other way round", async () => {
    const { signature, node_id, cert } = json;
    const special = { signature, node_id, cert, proof: [], leaf: hex(world.receipt(3).root) };
    expect(await codeFor(special)).toBe("no error");
    expect(await codeFor({ ...special, is_signature_transaction: true })).toBe("no error");
    expect(await codeFor({ ...special, is_signature_transaction: false })).toBe("malformed");
    expect(await codeFor({ ...special, leaf: undefined })).toBe("malformed");
    const { leaf_components: _, ...rest } = json;
    expect(await codeFor({ ...rest, leaf: other, is_signature_transaction: true })).toBe("malformed");
    expect(await codeFor({ ...rest, leaf: other, is_signature_transaction: false })).toBe("bad-signature");
  });

  test.each<[string, Partial<Record<keyof JsonReceipt, unknown>>]>([
    ["a path", { proof: {} }],
    ["a step", { proof: [7] }],
    ["a digest", { proof: [{ left: "11" }] }],
    ["hex", { proof: [{ right: "zz" }] }],
    ["a node id", { node_id: 7 }],
    ["a certificate", { cert: null }],
    ["components", { leaf_components: "text" }],
    ["components, but a list", { leaf_components: [] }],
    ["evidence", { leaf_components: { ...components, commit_evidence: 7 } }],
    ["a claims digest", { leaf_components: { ...components, claims_digest: "11" } }],
  ])("what is not %s", async (_, change) => {
    expect(await codeFor({ ...json, ...change })).toBe("malformed");
  });

  test("a COSE receipt without a path", async () => {
    const { encodeCoseSign1 } = await import("../cose/encode-cose.js");
    const { decodeCoseSign1 } = await import("../cose/cose-sign1.js");
    const cose = decodeCoseSign1(coseOf(3));
    if (cose?.proof === undefined) throw new Error("it is one");
    const { steps, root, serviceId } = await verifyReceipt(encodeCoseSign1(cose), options);
    expect(steps.at(-1)).toEqual({ type: "signature", by: "service", root, keyId: serviceId });
    expect(await codeFor(encodeCoseSign1({ ...cose, proof: { ...cose.proof, path: [] } }))).toBe("malformed");
  });

  test("a COSE signature that does not come after the transaction", async () => {
    const { encodeCoseHeader, encodeCoseSign1 } = await import("../cose/encode-cose.js");
    const { coseSignedBytes, decodeCoseSign1 } = await import("../cose/cose-sign1.js");
    const cose = decodeCoseSign1(coseOf(3));
    if (cose === undefined) throw new Error("it is one");
    const { root } = world.receipt(3);
    for (const txId of [
      { view: 2, seqno: 3 },
      { view: 1, seqno: 5 },
    ]) {
      const protectedBytes = encodeCoseHeader({ ...cose.header, txId: txId as typeof cose.header.txId });
      const signature = suite.sign(service.keyPair.privateKey, coseSignedBytes({ protectedBytes }, root));
      expect(await codeFor(encodeCoseSign1({ ...cose, protectedBytes, signature }))).toBe("out-of-order");
    }
  });
});

describe("hostile receipts end in a ReceiptError, at once", () => {
  const outcome = async (receipt: Uint8Array | string) => {
    const code = await codeFor(receipt);
    expect(typeof code).toBe("string");
    return code;
  };

  test.each([
    ["nothing", ""],
    ["null", "null"],
    ["a list", "[]"],
    ["a number", "1e999"],
    ["brackets without end", "[".repeat(100_000)],
    ["a key of the language", '{"__proto__":{"signature":""},"constructor":1}'],
    ["bytes that are no text", new Uint8Array([0xff, 0xfe])],
    ["COSE without an end", new Uint8Array(100_000).fill(0xd2)],
  ])("%s", async (_, receipt) => {
    expect(await outcome(receipt)).toBe("malformed");
  });

  test("any JSON, and any JSON in place of a member", async () => {
    const { json } = world.receipt(2);
    const names = Object.keys(json);
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.nat(names.length - 1), async (value, index) => {
        await outcome(JSON.stringify(value));
        await outcome(JSON.stringify({ ...json, [at(names, index)]: value }));
      }),
    );
  });

  test("any bytes, cut and joined receipts", async () => {
    const cose = coseOf(2);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.nat(cose.length), async (bytes, cut) => {
        await outcome(bytes);
        await outcome(Uint8Array.of(...cose.subarray(0, cut), ...bytes));
      }),
    );
  });

  test("a key that is no point of its curve", async () => {
    const { json } = world.receipt(2);
    const pem = (json.cert ?? "").split("\n");
    const der = fromBase64(pem.slice(1, -2).join(""));
    const spki = fromHex("3076301006072a8648ce3d020106052b8104002203620004");
    const start = der.findIndex((_, index) => spki.every((byte, offset) => der[index + offset] === byte));
    der.fill(1, start + spki.length, start + spki.length + 96);
    const nodeId = hex(suite.sha256(der.subarray(start, start + 120)));
    for (const crypto of [native, suiteCrypto(nobleSuite), webCrypto(globalThis.crypto.subtle)]) {
      const cert = pemEncode("CERTIFICATE", der);
      expect(await codeFor({ ...json, cert, node_id: nodeId }, { crypto })).toBe("bad-signature");
      const signature = json.signature;
      const special = { signature, proof: [], node_id: nodeId, cert, leaf: hex(world.receipt(5).root) };
      expect(await codeFor(special, { crypto })).toBe("bad-signature");
    }
    expect(base64(der).length).toBeGreaterThan(0);
  });
});
