/** A node that the service has forgotten before it took part asks again. */
import { createSelfSigned, pemEncode } from "@sealane/crypto";
import { nativeSuite as suite, nativeKeyWrapping as wrapping } from "@sealane/crypto/native";
import { base64 } from "@sealane/wire";
import { expect, it } from "vitest";
import { validity } from "../src/core/identity.js";
import { askAgain } from "../src/host/ask-again.js";
import { newNodeKeys } from "../src/host/membership.js";
import { found } from "./support.js";

/** Asks about a node that is let in and takes no part; there is nothing behind its addresses. */
function asking(first: Awaited<ReturnType<typeof found>>, signal: AbortSignal) {
  const { id, keyPair } = newNodeKeys(suite, wrapping, "P-384");
  const der = createSelfSigned(suite, keyPair, { name: id, hosts: [], ...validity(Date.now(), 1) });
  const identity = {
    certificate: pemEncode("CERTIFICATE", der),
    privateKey: pemEncode("PRIVATE KEY", suite.exportPrivateKey(keyPair.privateKey)),
  };
  const request = {
    publicKey: base64(keyPair.publicKey.spki),
    nodeAddress: "127.0.0.1:9",
    apiAddress: "127.0.0.1:9",
  };
  const { apiAddress, serviceCertificate = "" } = first.node;
  const apiAddresses = ["127.0.0.1:9", apiAddress]; // the first one does not answer
  return {
    id,
    done: askAgain({ apiAddresses, serviceCertificate, identity, request: () => request, patienceMs: 300, signal }),
  };
}

it("asks one node after another until it is on record again, and ends with its signal", async () => {
  const first = await found();
  const end = new AbortController();
  const { id, done } = asking(first, end.signal);
  await first.until(() => first.node.state().nodes.some((node) => node.id === id && node.status === "pending"));
  end.abort();
  await expect(done).resolves.toBeUndefined();
});

it("does not begin when the node takes part in time", async () => {
  const first = await found();
  const { id, done } = asking(first, AbortSignal.abort());
  await expect(done).resolves.toBeUndefined();
  expect(first.node.state().nodes.some((node) => node.id === id)).toBe(false);
});
