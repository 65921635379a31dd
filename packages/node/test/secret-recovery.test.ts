import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { createSelfSigned, parseCertificate, pemDecode, pemEncode, spkiHash } from "@sealane/crypto";
import { nativeSuite as suite, nativeKeyWrapping as wrapping } from "@sealane/crypto/native";
import { LedgerSecrets, readRecovery, recoverSecrets, verifyLedger } from "@sealane/ledger";
import { ledgerDirectory } from "@sealane/ledger/files";
import { ballotBytes, base64, fromBase64, seqno } from "@sealane/wire";
import { describe, expect, it } from "vitest";
import { startNode } from "../src/index.js";
import { call, joined, rotate, temporaryDir, WatchedNode } from "./support.js";

async function keptSecrets(dir: string) {
  const { ledgerSecrets } = JSON.parse(await readFile(join(dir, "node.private.json"), "utf8"));
  return (ledgerSecrets as { from: number; key: string }[]).map(({ from, key }) => ({
    from: seqno(from),
    key: fromBase64(key),
  }));
}

async function put({ node }: WatchedNode, key: string): Promise<void> {
  let status = 503;
  while (status === 503) ({ status } = await call(node, "PUT", `/records/${key}`, { value: key }));
  expect(status).toBe(200);
}

const current = async ({ node }: WatchedNode): Promise<number> =>
  Object((await call(node, "GET", "/node/network")).body).ledgerSecretSeqno;

/** What the holders of these keys can make of a directory. */
async function recovered(dir: string, keys: readonly Uint8Array[]) {
  const records = await readRecovery(ledgerDirectory(join(dir, "ledger")), suite);
  const encrypted = [...records.shares.encryptedShares.values()];
  const shares = keys.flatMap((key) => encrypted.flatMap((share) => wrapping.unwrap(key, share) ?? []));
  return recoverSecrets(suite, records, shares);
}

describe("the ledger secrets of a service", () => {
  it("are recovered by its first member alone, from any node's files, after changes and restarts", async () => {
    const first = await WatchedNode.start({ service: { type: "new" }, snapshotEvery: 10 });
    const second = await joined(first, { snapshotEvery: 10 });
    await put(first, "before");
    await rotate(first, await current(first));
    for (let index = 0; index < 30; index++) await put(second, `k${index}`);
    await Promise.all([first, second].map(({ node }) => node.stop()));
    const again = await Promise.all(
      [first, second].map(({ dir }) => WatchedNode.start({ dataDir: dir, service: { type: "resume" } })),
    );
    const [back = first] = again;
    await Promise.race(again.map((node) => node.until(() => node.node.state().role === "primary")));
    await put(back, "between");
    await rotate(first, await current(back));
    await put(back, "after");
    await Promise.all(again.map(({ node }) => node.stop()));

    // The service recovered from one node has yet another secret, and goes on changing it.
    const recoveredNode = await WatchedNode.start({ dataDir: first.dir, service: { type: "recover" } });
    await put(recoveredNode, "recovered");
    await rotate(recoveredNode, await current(recoveredNode));
    await put(recoveredNode, "last");
    await recoveredNode.node.stop();

    const file = join(first.dir, "member0.encryption.private.pem");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const key = pemDecode("PRIVATE KEY", await readFile(file, "utf8"));
    const kept = await keptSecrets(first.dir);
    expect(kept).toHaveLength(5);
    const { secrets, openFrom } = await recovered(first.dir, [key]);
    expect({ secrets, openFrom }).toEqual({ secrets: kept, openFrom: undefined });
    const result = await verifyLedger(ledgerDirectory(join(first.dir, "ledger")), {
      suite,
      secrets: new LedgerSecrets(secrets),
    });
    expect(result).toMatchObject({ ok: true });
  });

  it("take as many members as the service was founded with", async () => {
    const times = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
    const consortium = Array.from({ length: 3 }, (_, index) => {
      const keyPair = suite.generateKeyPair("P-384");
      const der = createSelfSigned(suite, keyPair, { name: `member${index}`, hosts: [], ...times });
      return { keyPair, encryption: wrapping.generateKeyPair(), certificate: pemEncode("CERTIFICATE", der) };
    });
    const withoutKey = createSelfSigned(suite, suite.generateKeyPair("P-384"), { name: "x", hosts: [], ...times });
    const first = await WatchedNode.start({
      service: {
        type: "new",
        members: [
          ...consortium.map(({ certificate, encryption }) => ({ certificate, encryptionKey: encryption.publicKey })),
          pemEncode("CERTIFICATE", withoutKey),
        ],
      },
    });
    // Three of four members' ballots change the secret; two of three shares recover it.
    const network = Object((await call(first.node, "GET", "/node/network")).body);
    expect(network.members).toHaveLength(4);
    const certificate = pemDecode("CERTIFICATE", first.node.serviceCertificate ?? "");
    const serviceId = spkiHash(suite, parseCertificate(suite, certificate).publicKey.spki);
    const action = { type: "rotate-ledger-secret", current: seqno(1) } as const;
    for (const { keyPair } of consortium) {
      const signature = base64(suite.sign(keyPair.privateKey, ballotBytes(serviceId, action)));
      const ballot = { action, memberId: spkiHash(suite, keyPair.publicKey.spki), signature };
      expect(await call(first.node, "POST", "/governance/ballots", ballot)).toMatchObject({ status: 200 });
    }
    await put(first, "after");
    await first.node.stop();
    const keys = consortium.map(({ encryption }) => encryption.privateKey);
    const kept = await keptSecrets(first.dir);
    expect(kept).toHaveLength(2);
    for (const two of [keys.slice(0, 2), keys.slice(1), keys])
      expect((await recovered(first.dir, two)).secrets).toEqual(kept);
    await expect(recovered(first.dir, keys.slice(0, 1))).rejects.toMatchObject({ code: "bad-share" });
    expect((await readdir(first.dir)).filter((name) => name.startsWith("member"))).toEqual([]);
  });

  it("are not recoverable where no member has an encryption key, and nothing is written of them", async () => {
    const keyPair = suite.generateKeyPair("P-384");
    const times = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
    const member = pemEncode("CERTIFICATE", createSelfSigned(suite, keyPair, { name: "m", hosts: [], ...times }));
    const first = await WatchedNode.start({ service: { type: "new", members: [member] } });
    await put(first, "a");
    await first.node.stop();
    await expect(recovered(first.dir, [])).rejects.toMatchObject({ code: "no-shares" });

    const dataDir = await temporaryDir();
    const refused = (service: Parameters<typeof startNode>[0]["service"]) =>
      startNode({ dataDir, service }).then(
        () => "started",
        (error: { code?: string }) => error.code,
      );
    const { publicKey } = wrapping.generateKeyPair();
    const given = { certificate: member, encryptionKey: publicKey };
    expect(await refused({ type: "new", members: [member], recoveryThreshold: 1 })).toBe("wrong-service");
    expect(await refused({ type: "new", members: [given], recoveryThreshold: 2 })).toBe("wrong-service");
    expect(await refused({ type: "new", members: [given], recoveryThreshold: 0 })).toBe("wrong-service");
    const noKey = { certificate: member, encryptionKey: member };
    expect(await refused({ type: "new", members: [noKey] })).toBe("wrong-service");
  });
});
