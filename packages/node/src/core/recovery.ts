/**
 * A service goes on from what one of its nodes holds, when a majority of them is lost for good (consensus spec §12.3, ledger spec §11.3). It
 * does so under a new identity, so that nobody takes it for the service it was, which might after all be alive elsewhere.
 */
import { parseCertificate, pemDecode, pemEncode, spkiHash } from "@sealane/crypto";
import type { Store, Transaction } from "@sealane/kv";
import type { LedgerSecret } from "@sealane/ledger";
import type { WriteSet } from "@sealane/wire";
import { FaultError } from "./errors.js";
import { endorseFormerService } from "./identity.js";
import { writeRecovery } from "./secret-recovery.js";
import {
  ballots,
  configuration,
  endorsedCertificates,
  formerServices,
  nodeInfos,
  SINGLE,
  serviceInfo,
  snapshotEvidences,
} from "./tables.js";
import type { CoreConfig } from "./types.js";

/**
 * The first transaction of a recovered service: its new identity and the one before, the one node, that no other takes part any more, and
 * members' shares of the new ledger secret.
 * @throws FaultError `nothing-to-recover`.
 */
export function recoveryOf(
  config: CoreConfig,
  store: Store,
  secrets: { readonly previous: LedgerSecret; readonly current: LedgerSecret },
  nowMs: number,
): WriteSet {
  const { id, suite, service, certificate, nodeAddress, apiAddress } = config;
  const tx = store.begin();
  const infos = tx.map(nodeInfos);
  for (const [other, info] of [...infos.entries()]) {
    if (other !== id) infos.put(other, { ...info, status: "Retired", retired_committed: true });
  }
  const own = infos.get(id);
  const former = tx.map(serviceInfo).get(SINGLE)?.cert;
  if (own === undefined || former === undefined) {
    throw new FaultError(
      "nothing-to-recover",
      "This node holds no signed entry that knows it: recover the service from another node.",
    );
  }
  infos.put(id, { ...own, status: "Trusted", joined: true, node_address: nodeAddress, api_address: apiAddress });
  tx.map(endorsedCertificates).put(id, pemEncode("CERTIFICATE", certificate));
  tx.map(configuration).put(SINGLE, { nodes: [id] });
  tx.map(serviceInfo).put(SINGLE, { cert: pemEncode("CERTIFICATE", service.certificate), status: "Open" });
  forgetBallots(tx);
  tx.map(snapshotEvidences).delete(SINGLE); // a snapshot that the new identity proves is due at once, if there was one before

  const der = pemDecode("CERTIFICATE", former);
  const formerId = spkiHash(suite, parseCertificate(suite, der).publicKey.spki);
  const earlier = tx.map(formerServices).size;
  const endorsed = endorseFormerService(suite, service, der, earlier, nowMs);
  if (config.encryption !== undefined)
    writeRecovery(tx, suite, config.encryption.wrapping, secrets.current, secrets.previous);
  tx.map(formerServices).put(formerId, { until: store.lastSeqno, cert: pemEncode("CERTIFICATE", endorsed) });
  return tx.writeSet();
}

/** They were signed for the service as it was. */
function forgetBallots(tx: Transaction): void {
  const cast = tx.map(ballots);
  for (const [action] of [...cast.entries()]) cast.delete(action);
}
