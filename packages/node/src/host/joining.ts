/** How a node gets into its service, and what it does when the service seems to have forgotten it. */
import { base64, type NetworkNode, type Seqno } from "@sealane/wire";
import { type AdmissionOptions, enter } from "./admission.js";
import { askAgain } from "./ask-again.js";
import { nowMs } from "./clock.js";
import { type Membership, privateFile, tlsIdentity } from "./membership.js";
import type { NodeRecord } from "./node-record.js";
import { hostOf, type NodeSetup } from "./node-setup.js";

/** A node that was let in may take this long to take part, before it asks whether the service still knows it. */
const PATIENCE_ELECTION_TIMEOUTS = 3;

export class Joining {
  readonly #setup: NodeSetup;
  readonly #record: NodeRecord;
  readonly #signal: AbortSignal;

  /** @param signal - The node stops. */
  constructor(setup: NodeSetup, record: NodeRecord, signal: AbortSignal) {
    this.#setup = setup;
    this.#record = record;
    this.#signal = signal;
  }

  /** Is let in, and keeps what makes it a member. @throws NodeError as `enter`. */
  async enter(
    serviceCertificate: string,
    url: string,
    how: Pick<AdmissionOptions, "snapshots" | "since">,
  ): Promise<Membership> {
    const { suite, keys, dataDir } = this.#setup;
    const own = this.#request(serviceCertificate);
    const membership = await enter({ ...own, ...how, suite, keys, url, signal: this.#signal });
    // In this order: after a crash between the two the node asks again, and is answered again.
    await dataDir.writePrivate(privateFile(suite, keys, membership));
    await this.#record.noteMember(membership);
    return membership;
  }

  /** As `askAgain`, of the other nodes it was told of. @param options.signal - It takes part, or stops. */
  askAgain(
    serviceCertificate: string,
    options: { readonly nodes: readonly NetworkNode[]; lastSeqno(): Seqno; readonly signal: AbortSignal },
  ): Promise<string | undefined> {
    const { nodes, lastSeqno, signal } = options;
    const { request, ...own } = this.#request(serviceCertificate);
    return askAgain({
      ...own,
      request: () => ({ ...request, startupSeqno: lastSeqno() }),
      apiAddresses: nodes
        .filter(({ id, status }) => id !== this.#setup.keys.id && status === "trusted")
        .map(({ apiAddress }) => apiAddress),
      patienceMs: PATIENCE_ELECTION_TIMEOUTS * this.#setup.timing.electionTimeoutMs,
      signal,
    });
  }

  #request(serviceCertificate: string) {
    const { suite, keys, api } = this.#setup;
    const { nodeAddress, apiAddress } = this.#record.whereabouts;
    return {
      serviceCertificate,
      identity: tlsIdentity(suite, keys, undefined, hostOf(api), nowMs()),
      request: {
        publicKey: base64(keys.keyPair.publicKey.spki),
        encryptionKey: keys.encryption.publicKey,
        nodeAddress,
        apiAddress,
      },
    };
  }
}
