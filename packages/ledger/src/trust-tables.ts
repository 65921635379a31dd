/** What a ledger itself says about who may sign it (ledger spec §8): nodes, their certificates, and the service identity in force. */
import { CertificateError, CryptoError, type CryptoSuite, verifyEndorsement } from "@sealane/crypto";
import { equalBytes, fromUtf8, type NodeId, parseNodeId, WireError, type WriteSet } from "@sealane/wire";
import type { SignatureChecker } from "./check-signature.js";
import { LedgerError } from "./errors.js";
import { SINGLE_KEY } from "./signature-record.js";
import type { SnapshotMap } from "./snapshot/decode-snapshot.js";

export const NODES_INFO_TABLE = "public:ccf.gov.nodes.info";
export const ENDORSED_CERTIFICATES_TABLE = "public:ccf.gov.nodes.endorsed_certificates";
export const SERVICE_INFO_TABLE = "public:ccf.gov.service.info";

/** Nodes on record at a time, retired ones included. */
const NODES_MAX = 10_000;
/** One record; a node's attestation makes it a few tens of KiB. */
const RECORD_BYTES_MAX = 1024 * 1024;

const NODE_STATUSES = ["Pending", "Trusted", "Retired"] as const;
type NodeStatus = (typeof NODE_STATUSES)[number];

/** §8: the steps between service states, besides staying and `Opening`, which may come any time. */
const SERVICE_STEPS = {
  Opening: ["Open", "WaitingForRecoveryShares"],
  Recovering: ["WaitingForRecoveryShares"],
  WaitingForRecoveryShares: ["Open"],
  Open: ["Recovering"],
} as const satisfies Record<string, readonly string[]>;
type ServiceStatus = keyof typeof SERVICE_STEPS;

export interface NodeRecord {
  readonly status: NodeStatus;
  /** CCF 1.x kept the endorsed certificate here. */
  readonly cert: string | undefined;
}

export class TrustTables {
  readonly #suite: CryptoSuite;
  readonly #checker: SignatureChecker;
  readonly #nodes = new Map<string, NodeRecord>();
  readonly #certificates = new Map<string, string>();
  readonly #identities = new Set<string>();
  readonly #serviceCertificates = new Set<string>();
  #service: { readonly cert: string; readonly status: ServiceStatus } | undefined;

  constructor(suite: CryptoSuite, checker: SignatureChecker) {
    this.#suite = suite;
    this.#checker = checker;
  }

  /** PEM of the service identity in force. */
  get serviceCertificate(): string | undefined {
    return this.#service?.cert;
  }

  /** PEMs of all service identities so far, renewed certificates included, in their order. */
  get serviceCertificates(): readonly string[] {
    return [...this.#serviceCertificates];
  }

  /** How many different service keys have been in force so far. */
  get serviceIdentities(): number {
    return this.#identities.size;
  }

  /**
   * Takes over what a transaction writes into the three tables. Node certificates must be endorsed by the service identity in force after
   * it: a recovery announces the new identity and the first node it endorsed in one transaction.
   * @throws {LedgerError} a `TrustErrorCode`, `bad-certificate`, `bad-node-id`. The tables are then of no further use.
   */
  apply(publicMaps: WriteSet): void {
    const endorsed: NodeId[] = [];
    for (const { name, writes, removes } of publicMaps) {
      switch (name) {
        case NODES_INFO_TABLE:
          for (const [key, value] of writes) this.#nodes.set(nodeKey(key), parseNodeRecord(value));
          for (const key of removes) this.#nodes.delete(nodeKey(key));
          break;
        case ENDORSED_CERTIFICATES_TABLE:
          for (const [key, value] of writes) {
            const node = nodeKey(key);
            this.#certificates.set(node, recordText(value));
            endorsed.push(node);
          }
          for (const key of removes) this.#certificates.delete(nodeKey(key));
          break;
        case SERVICE_INFO_TABLE:
          for (const [key, value] of writes) this.#setService(key, value);
          if (removes.length > 0) throw new LedgerError("bad-table", "the service record was removed");
          break;
      }
    }
    this.#checkCounts();
    for (const node of endorsed) {
      const certificate = this.#certificates.get(node);
      if (certificate === undefined) continue;
      if (this.#checker.keyOf(certificate).id !== node) {
        throw new LedgerError("bad-node-id", `node ${node} has a certificate of another key`);
      }
      this.#checkEndorsed(node, certificate);
    }
  }

  /**
   * Takes over the three tables from a snapshot. Certificates in it may be of nodes that an earlier service identity endorsed: whether a
   * node may sign is checked when it does.
   * @throws {LedgerError} `bad-table`, `bad-certificate`.
   */
  install(maps: readonly SnapshotMap[]): void {
    for (const { name, entries } of maps) {
      for (const { key, value } of entries) {
        if (name === NODES_INFO_TABLE) this.#nodes.set(nodeKey(key), parseNodeRecord(value));
        else if (name === ENDORSED_CERTIFICATES_TABLE) this.#certificates.set(nodeKey(key), recordText(value));
        else if (name === SERVICE_INFO_TABLE) this.#setService(key, value);
      }
    }
    this.#checkCounts();
  }

  /**
   * The certificate with which a node may sign now.
   * @returns `undefined` for a node that is not on record.
   * @throws {LedgerError} `pending-node`, `not-endorsed`, `no-service`.
   */
  certificateOf(node: NodeId): string | undefined {
    const record = this.#nodes.get(node);
    const certificate = this.#certificates.get(node) ?? record?.cert;
    if (record === undefined || certificate === undefined) return undefined;
    if (record.status === "Pending") throw new LedgerError("pending-node", `node ${node} signed while it was pending`);
    // Again at each signature: a node of the service before a recovery must not sign after it.
    this.#checkEndorsed(node, certificate);
    return certificate;
  }

  #checkCounts(): void {
    if (this.#nodes.size > NODES_MAX || this.#certificates.size > NODES_MAX)
      throw new LedgerError("bad-table", "too many nodes");
  }

  #checkEndorsed(node: NodeId, certificate: string): void {
    if (this.#service === undefined)
      throw new LedgerError("no-service", `no service identity is known that could endorse node ${node}`);
    try {
      const { der } = this.#checker.keyOf(certificate);
      verifyEndorsement(this.#suite, der, this.#checker.keyOf(this.#service.cert).der, {
        curves: ["P-384", "P-256"],
        cache: this.#checker.endorsements,
      });
    } catch (cause) {
      if (!(cause instanceof CertificateError || cause instanceof CryptoError)) throw cause;
      throw new LedgerError("not-endorsed", `the service does not endorse the certificate of node ${node}`, { cause });
    }
  }

  #setService(key: Uint8Array, value: Uint8Array): void {
    if (!equalBytes(key, SINGLE_KEY)) throw new LedgerError("bad-table", "the service record has another key");
    const { cert, status } = parseRecord(value);
    if (typeof cert !== "string" || !isServiceStatus(status))
      throw new LedgerError("bad-table", "a service record without cert or status");
    const before = this.#service?.status;
    const steps: readonly string[] = before === undefined ? Object.keys(SERVICE_STEPS) : SERVICE_STEPS[before];
    if (status !== before && status !== "Opening" && !steps.includes(status)) {
      throw new LedgerError("bad-service-status", `the service went from ${before} to ${status}`);
    }
    this.#identities.add(this.#checker.keyOf(cert).id); // a renewed certificate has the same key
    this.#serviceCertificates.add(cert);
    this.#service = { cert, status };
  }
}

/** @throws {LedgerError} `bad-table`. */
export function parseNodeRecord(value: Uint8Array): NodeRecord {
  const { status, cert } = parseRecord(value);
  const known = NODE_STATUSES.find((name) => name === status);
  if (known === undefined || (cert !== undefined && typeof cert !== "string")) {
    throw new LedgerError("bad-table", "a node record without a known status");
  }
  return { status: known, cert: cert === "" ? undefined : cert };
}

function parseRecord(value: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(recordText(value));
    if (typeof parsed === "object" && parsed !== null) return { ...parsed };
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw new LedgerError("bad-table", "a record is no JSON object");
}

function recordText(value: Uint8Array): string {
  if (value.length > RECORD_BYTES_MAX) throw new LedgerError("bad-table", `a record has ${value.length} bytes`);
  return asTable(() => fromUtf8(value));
}

function nodeKey(key: Uint8Array): NodeId {
  return asTable(() => parseNodeId(fromUtf8(key)));
}

function asTable<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new LedgerError("bad-table", "a record's key or text cannot be read", { cause });
  }
}

function isServiceStatus(status: unknown): status is ServiceStatus {
  return typeof status === "string" && Object.hasOwn(SERVICE_STEPS, status);
}
