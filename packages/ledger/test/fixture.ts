/** A small service of one node, and a ledger it has written, for tests. */
import {
  type Curve,
  createServiceIdentity,
  endorse,
  type KeyPair,
  pemEncode,
  type ServiceIdentity,
  spkiHash,
  withRandom,
} from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { type NodeId, parseNodeId, seqno, utf8, view, type WriteSet } from "@sealane/wire";
import { decodeEntry } from "../src/decode-entry.js";
import { Ledger, type LedgerEntry, type LedgerOptions, type ServiceSigner } from "../src/ledger.js";
import { LedgerSecrets } from "../src/ledger-secrets.js";
import { SINGLE_KEY } from "../src/signature-record.js";
import { ENDORSED_CERTIFICATES_TABLE, NODES_INFO_TABLE, SERVICE_INFO_TABLE } from "../src/trust-tables.js";

export const suite = nativeSuite;
const TIMES = { notBefore: new Date("2025-01-01T00:00:00Z"), notAfter: new Date("2035-01-01T00:00:00Z") };

export const secrets = new LedgerSecrets([{ from: seqno(1), key: new Uint8Array(32).fill(7) }]);

export interface TestNode {
  readonly nodeId: NodeId;
  readonly keyPair: KeyPair;
  readonly certificatePem: string;
}

export function createService(name = "test service", curve: Curve = "P-384"): ServiceIdentity {
  return createServiceIdentity(suite, { name, curve, ...TIMES });
}

export function createNode(service: ServiceIdentity, curve: Curve = "P-256"): TestNode {
  const keyPair = suite.generateKeyPair(curve);
  const options = { publicKey: keyPair.publicKey, name: "test node", hosts: ["127.0.0.1"], ...TIMES };
  return {
    nodeId: parseNodeId(spkiHash(suite, keyPair.publicKey.spki)),
    keyPair,
    certificatePem: pemEncode("CERTIFICATE", endorse(suite, service, options)),
  };
}

export const service = createService();
export const node = createNode(service);
export const servicePem = pemEncode("CERTIFICATE", service.certificate);

/** The tables of §8 as a service's first transaction writes them. */
export function genesis(
  options: { status?: string; node?: TestNode; cert?: string; serviceStatus?: string } = {},
): WriteSet {
  const { status = "Trusted", node: signer = node, cert = servicePem, serviceStatus = "Opening" } = options;
  return [
    {
      name: ENDORSED_CERTIFICATES_TABLE,
      writes: [[utf8(signer.nodeId), utf8(signer.certificatePem)]],
      removes: [],
    },
    { name: NODES_INFO_TABLE, writes: [[utf8(signer.nodeId), utf8(JSON.stringify({ status }))]], removes: [] },
    {
      name: SERVICE_INFO_TABLE,
      writes: [[SINGLE_KEY, utf8(JSON.stringify({ cert, status: serviceStatus }))]],
      removes: [],
    },
  ];
}

export function put(key: string, value: string, map = "records"): WriteSet {
  return [{ name: map, writes: [[utf8(key), utf8(value)]], removes: [] }];
}

export const V2 = view(2);

export function createLedger(options: Partial<LedgerOptions> = {}): Ledger {
  const nodeCertificate = (id: NodeId) => (id === node.nodeId ? node.certificatePem : undefined);
  return new Ledger({ suite, secrets, nodeCertificate, serviceCertificate: () => servicePem, ...options });
}

export function sign(ledger: Ledger, signer: TestNode = node, at = V2): LedgerEntry {
  return ledger.appendSignature({ view: at, ...signer });
}

/** What the service signs the COSE form with. */
export function serviceSigner({ keyPair }: ServiceIdentity = service): ServiceSigner {
  return { keyPair, issuer: "service.example.com", subject: "ledger.signature", issuedAt: 1_750_000_000 };
}

export function signBoth(ledger: Ledger, signer = serviceSigner()): LedgerEntry {
  return ledger.appendSignature({ view: V2, ...node, service: signer });
}

/** Genesis, `count` private writes, and a signature after each `period` of them. */
export function fill(ledger: Ledger, count: number, period = 3): LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  if (ledger.lastSeqno === 0) entries.push(ledger.append({ view: V2, writeSet: genesis() }));
  for (let index = 1; index <= count; index++) {
    entries.push(ledger.append({ view: V2, writeSet: put(`key ${index}`, "value") }));
    if (index % period === 0) entries.push(sign(ledger));
  }
  return entries;
}

export function decode(entry: { readonly bytes: Uint8Array }) {
  return decodeEntry(suite, secrets, entry.bytes.slice());
}

/** A suite whose randomness comes from a counter: two runs make the same bytes. */
export function deterministic(): typeof suite {
  let counter = 0;
  return withRandom(suite, (length) => new Uint8Array(length).map(() => counter++ % 251));
}

export function at<T>(items: readonly T[], index: number): T {
  const item = items.at(index);
  if (item === undefined) throw new Error(`no item ${index} of ${items.length}`);
  return item;
}

/** The code of the error that `run` must throw. */
export function codeOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
  return "no error";
}
