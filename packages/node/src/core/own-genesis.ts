/** The first transaction of a service that this node founds. */
import type { Store } from "@sealane/kv";
import type { WriteSet } from "@sealane/wire";
import { writeGenesis } from "./governance.js";
import { type ShareHolding, writeFirstRecovery } from "./secret-recovery.js";
import type { CoreConfig } from "./types.js";

/** @throws RangeError, CryptoError when its members' encryption keys or the threshold are none. */
export function ownGenesis(config: CoreConfig, holding: ShareHolding, store: Store): WriteSet {
  const { id, keyPair, certificate, service, nodeAddress, apiAddress, encryption } = config;
  const tx = store.begin();
  writeGenesis(tx, {
    id,
    publicKey: keyPair.publicKey,
    nodeAddress,
    apiAddress,
    certificate,
    serviceCertificate: service.certificate,
    members: holding.members,
    ...(encryption === undefined ? {} : { encryptionKey: encryption.publicKey }),
  });
  const [first] = config.ledgerSecrets;
  if (encryption !== undefined && first !== undefined)
    writeFirstRecovery(tx, config.suite, encryption.wrapping, first, holding);
  return tx.writeSet();
}
