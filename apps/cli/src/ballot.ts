/** A member's vote: the key is read, used once and wiped. */
import { type Certificate, spkiHash } from "@sealane/crypto";
import { type Ballot, ballotBytes, base64, type GovernanceAction } from "@sealane/wire";
import { nativeSuite, readPrivateKey } from "./inputs.js";

/**
 * @param memberKey - Path of the member's private key in PEM.
 * @param service - The certificate of the service whose node is voted on; the ballot counts in no other.
 * @throws {CliError} when the key cannot be read.
 */
export async function signBallot(memberKey: string, service: Certificate, action: GovernanceAction): Promise<Ballot> {
  const { privateKey, publicKey } = await readPrivateKey(nativeSuite, memberKey);
  const serviceId = spkiHash(nativeSuite, service.publicKey.spki);
  const signature = nativeSuite.sign(privateKey, ballotBytes(serviceId, action));
  nativeSuite.wipe(privateKey);
  return { action, memberId: spkiHash(nativeSuite, publicKey.spki), signature: base64(signature) };
}
