/** A node that was let in and cannot be sent what it needs begins again, from a snapshot (consensus spec §12.2). */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pemDecode, pemEncode } from "@sealane/crypto";
import { nativeSuite as suite, nativeKeyWrapping as wrapping } from "@sealane/crypto/native";
import { archiveBelow } from "@sealane/ledger/files";
import { base64, formatAddress } from "@sealane/wire";
import { expect, it } from "vitest";
import { DataDir } from "../src/host/data-dir.js";
import { joinService } from "../src/host/join-service.js";
import { acceptMembership, newNodeKeys, privateFile, tlsIdentity } from "../src/host/membership.js";
import { ballot, call, temporaryDir, WatchedNode } from "./support.js";

const SNAPSHOTS = { snapshotEvery: 20, electionTimeoutMs: 500 };

/** Lets a node in that has stored what it was told, and then stopped. @returns its directory. */
async function letIn(first: WatchedNode): Promise<string> {
  const { apiUrl, serviceCertificate = "" } = first.node;
  const dir = await temporaryDir();
  const keys = newNodeKeys(suite, wrapping, "P-384");
  const [node, api] = [await freeAddress(), await freeAddress()];
  const [nodeAddress, apiAddress] = [formatAddress(node), formatAddress(api)];
  const publicKey = base64(keys.keyPair.publicKey.spki);
  const request = { publicKey, encryptionKey: keys.encryption.publicKey, nodeAddress, apiAddress };
  const identity = tlsIdentity(suite, keys, undefined, "127.0.0.1", Date.now());
  const signal = AbortSignal.timeout(20_000);
  const joining = joinService({ url: apiUrl, serviceCertificate, identity, request, signal });
  await first.until(() => first.node.state().nodes.some(({ id }) => id === keys.id));
  // It commits only once the new node holds it; that it is signed is enough for the answer.
  const [network] = await Promise.all([
    joining,
    call(first.node, "POST", "/governance/ballots", await ballot(first, keys.id)),
  ]);
  const membership = acceptMembership(suite, keys, pemDecode("CERTIFICATE", serviceCertificate), network);
  const dataDir = new DataDir(dir);
  await dataDir.writePrivate(privateFile(suite, keys, membership));
  await dataDir.writeNode({
    version: 1,
    nodeId: keys.id,
    node,
    api,
    nodeAddress,
    apiAddress,
    serviceCertificate: pemEncode("CERTIFICATE", membership.service.certificate),
    certificate: pemEncode("CERTIFICATE", membership.certificate),
    nodes: [...membership.nodes],
  });
  return dir;
}

async function freeAddress(): Promise<{ host: string; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return { host: "127.0.0.1", port: typeof address === "object" ? (address?.port ?? 0) : 0 };
}

it("when the service has archived what comes behind its last entry", { timeout: 60_000 }, async () => {
  const founder = await WatchedNode.start({ service: { type: "new" }, ...SNAPSHOTS });
  for (let index = 0; index < 50; index++) await call(founder.node, "PUT", `/records/k${index}`, { value: index });
  const dir = await letIn(founder);
  await founder.node.stop();
  const target = await mkdtemp(join(tmpdir(), "sealane-archive-"));
  await archiveBelow(join(founder.dir, "ledger"), target, { suite, snapshots: join(founder.dir, "snapshots") });
  await rm(target, { recursive: true });

  const first = await WatchedNode.start({ dataDir: founder.dir, service: { type: "resume" }, ...SNAPSHOTS });
  const second = await WatchedNode.start({ dataDir: dir, service: { type: "resume" }, ...SNAPSHOTS });
  await second.node.ready;
  await second.until(() => second.node.state().committed === first.node.state().committed);
  expect((await call(second.node, "GET", "/records/k7?consistency=serializable")).body).toMatchObject({ value: 7 });
  expect((await readdir(join(dir, "snapshots"))).length).toBeGreaterThan(0);
});
