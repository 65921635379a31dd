/** The consortium of the demo: one member, whose key lies in the first node's data directory, trusts every node that asks to join. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseCertificate, pemDecode, spkiHash } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { type Ballot, ballotBytes, base64, type NodeId } from "@sealane/wire";

export const MEMBER_KEY_FILE = "member0.private.pem";

/** A signed ballot that trusts `nodeId`. The key is read, used and wiped here. */
export async function trustBallot(firstDataDir: string, serviceCertificate: string, nodeId: NodeId): Promise<Ballot> {
  const pkcs8 = pemDecode("PRIVATE KEY", await readFile(join(firstDataDir, MEMBER_KEY_FILE), "utf8"));
  const member = nativeSuite.importPrivateKey(pkcs8);
  nativeSuite.wipe(pkcs8);
  const service = parseCertificate(nativeSuite, pemDecode("CERTIFICATE", serviceCertificate));
  const action = { type: "trust-node", nodeId } as const;
  const bytes = ballotBytes(spkiHash(nativeSuite, service.publicKey.spki), action);
  return {
    action,
    memberId: spkiHash(nativeSuite, member.publicKey.spki),
    signature: base64(nativeSuite.sign(member.privateKey, bytes)),
  };
}
