/** A ledger directory as a service of one node would have written it: the tables a verifier needs, records, both signatures now and then. */
import { createServiceIdentity, endorse, pemEncode, spkiHash } from "@sealane/crypto";
import { nativeSuite as suite } from "@sealane/crypto/native";
import {
  ENDORSED_CERTIFICATES_TABLE,
  Ledger,
  type LedgerEntry,
  type LedgerSecret,
  LedgerSecrets,
  NODES_INFO_TABLE,
  SERVICE_INFO_TABLE,
  SINGLE_KEY,
} from "@sealane/ledger";
import { openLedger } from "@sealane/ledger/files";
import { base64, parseNodeId, type Seqno, seqno, utf8 } from "@sealane/wire";
import { VIEW, writeSets } from "./entries.js";

const TIMES = { notBefore: new Date("2025-01-01"), notAfter: new Date("2045-01-01") };
/** One a second at that many writes a second; CCF's own cadence is every 5,000. */
export const ENTRIES_PER_SIGNATURE = 1_000;
const RETAIN_BYTES = 4 * 1024 * 1024;

export interface MadeLedger {
  readonly directory: string;
  readonly secrets: readonly LedgerSecret[];
  readonly lastSeqno: Seqno;
  /** Of all entries. */
  readonly bytes: number;
}

/** @param count - Records, each of `valueBytes`. Everything up to the last signature is committed. */
export async function makeLedger(directory: string, valueBytes: number, count: number): Promise<MadeLedger> {
  const secrets = [{ from: seqno(1), key: suite.randomBytes(32) }];
  const service = createServiceIdentity(suite, { name: "bench", ...TIMES });
  const servicePem = pemEncode("CERTIFICATE", service.certificate);
  const keyPair = suite.generateKeyPair("P-384");
  const { publicKey } = keyPair;
  const nodeId = parseNodeId(spkiHash(suite, publicKey.spki));
  const options = { publicKey, name: nodeId, hosts: ["127.0.0.1"], ...TIMES };
  const certificatePem = pemEncode("CERTIFICATE", endorse(suite, service, options));

  const ledger = new Ledger({ suite, secrets: new LedgerSecrets(secrets), retainBytes: RETAIN_BYTES });
  const { storage } = await openLedger(directory);
  let pending: LedgerEntry[] = [];
  let bytes = 0;
  const keep = (entry: LedgerEntry): void => {
    pending.push(entry);
    bytes += entry.bytes.length;
  };
  const sign = async (): Promise<void> => {
    const signer = { keyPair: service.keyPair, issuer: "bench", subject: "bench", issuedAt: 1_750_000_000 };
    keep(ledger.appendSignature({ view: VIEW, nodeId, keyPair, certificatePem, service: signer }));
    storage.append(pending);
    pending = [];
    storage.commit(ledger.lastSeqno);
    ledger.compact(ledger.lastSeqno);
    await storage.flush();
  };
  const records: readonly (readonly [string, Uint8Array, string])[] = [
    [ENDORSED_CERTIFICATES_TABLE, utf8(nodeId), certificatePem],
    [
      NODES_INFO_TABLE,
      utf8(nodeId),
      JSON.stringify({ api_address: "", node_address: "", public_key: base64(publicKey.spki), status: "Trusted" }),
    ],
    [SERVICE_INFO_TABLE, SINGLE_KEY, JSON.stringify({ cert: servicePem, status: "Opening" })],
  ];
  const genesis = records.map(([name, key, value]) => ({ name, writes: [[key, utf8(value)]] as const, removes: [] }));
  keep(ledger.append({ view: VIEW, writeSet: genesis }));
  const writeSet = writeSets(valueBytes);
  for (let index = 1; index <= count; index++) {
    keep(ledger.append({ view: VIEW, writeSet: writeSet(index) }));
    if (index % ENTRIES_PER_SIGNATURE === 0 || index === count) await sign();
  }
  await storage.close();
  return { directory, secrets, lastSeqno: ledger.lastSeqno, bytes };
}
