/** The first transaction of a service that this node founds. */
import type { Store } from "@sealane/kv";
import type { WriteSet } from "@sealane/wire";
import { writeGenesis } from "./governance.js";
import type { Member } from "./identity.js";
import type { CoreConfig } from "./types.js";

export function ownGenesis(config: CoreConfig, members: readonly Member[], store: Store): WriteSet {
  const { id, keyPair, certificate, service, nodeAddress, apiAddress, encryption } = config;
  const tx = store.begin();
  writeGenesis(tx, {
    id,
    publicKey: keyPair.publicKey,
    nodeAddress,
    apiAddress,
    certificate,
    serviceCertificate: service.certificate,
    members,
    ...(encryption === undefined ? {} : { encryptionKey: encryption.publicKey }),
  });
  return tx.writeSet();
}
