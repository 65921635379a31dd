/** Signs the log as primary: when `SigningPolicy` says so, given whether a signature of this node is still on its way to commit. */
import type { Ledger } from "@sealane/ledger";
import { type Seqno, seqno, type View } from "@sealane/wire";
import type { OwnCertificate } from "./own-certificate.js";
import { SigningPolicy } from "./signing-policy.js";
import type { CoreConfig } from "./types.js";

/** What the COSE form of a signature says it is about (ledger spec §7.3); its issuer is the service id. */
const SIGNATURE_SUBJECT = "sealane/ledger/signature";

export class Signer {
  readonly #config: CoreConfig;
  readonly #ledger: Ledger;
  readonly #policy: SigningPolicy;
  readonly #certificate: OwnCertificate;
  /** The newest signature this node appended as primary; 0 before the first. */
  #ownSignature = seqno(0);

  constructor(config: CoreConfig, ledger: Ledger, certificate: OwnCertificate) {
    this.#config = config;
    this.#ledger = ledger;
    this.#policy = new SigningPolicy(config.signing);
    this.#certificate = certificate;
  }

  /** As `SigningPolicy.isDue`. */
  isDue(commitSeqno: Seqno, nowMs: number): boolean {
    return this.#policy.isDue(this.#isPending(commitSeqno), nowMs);
  }

  /** As `SigningPolicy.dueMs`. */
  dueMs(commitSeqno: Seqno): number {
    return this.#policy.dueMs(this.#isPending(commitSeqno));
  }

  /** Appends a signature to the ledger. @param endsChunk - Whether a chunk ends behind it. */
  sign(view: View, endsChunk: boolean, nowMs: number): ReturnType<Ledger["appendSignature"]> {
    const { id, keyPair, service } = this.#config;
    const entry = this.#ledger.appendSignature({
      view,
      nodeId: id,
      keyPair,
      certificatePem: this.#certificate.pem,
      endsChunk,
      service: {
        keyPair: service.keyPair,
        issuer: service.id,
        subject: SIGNATURE_SUBJECT,
        issuedAt: Math.floor(nowMs / 1_000),
      },
    });
    this.#ownSignature = entry.seqno;
    this.#policy.handleSignature(nowMs);
    return entry;
  }

  /** As `SigningPolicy.handleEntry`. */
  handleEntry(isReconfiguration: boolean, nowMs: number): void {
    this.#policy.handleEntry(isReconfiguration, nowMs);
  }

  handleCommit(commitSeqno: Seqno, nowMs: number): void {
    if (!this.#isPending(commitSeqno)) this.#policy.handleCommit(nowMs);
  }

  handleRollback(): void {
    this.#policy.handleRollback();
  }

  #isPending(commitSeqno: Seqno): boolean {
    return this.#ownSignature > commitSeqno;
  }
}
