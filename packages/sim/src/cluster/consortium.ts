/** The people behind a simulated service: its keys, its only member, and what it takes to let a node in. */
import {
  type CryptoSuite,
  createSelfSigned,
  type KeyPair,
  type KeyWrapping,
  pemDecode,
  pemEncode,
} from "@sealane/crypto";
import { simulatedKeyWrapping } from "@sealane/crypto/simulated";
import {
  type EncryptionKey,
  endorseNode,
  type Member,
  newServiceKeys,
  nodeIdOf,
  readMember,
  type ServiceKeys,
  validity,
} from "@sealane/node/core";
import {
  ballotBytes,
  base64,
  fromBase64,
  type GovernanceAction,
  type JoinedNetwork,
  type NodeAction,
  type NodeId,
  type Seqno,
  seqno,
  utf8,
} from "@sealane/wire";
import type { SimulatedNodeConfig, SimulatedRequest } from "./simulated-node.js";

export interface NodeIdentity {
  readonly keyPair: KeyPair;
  readonly id: NodeId;
  readonly encryption: EncryptionKey;
}

/** Everything of a node's configuration that does not come from the service. */
export type OwnConfig = Omit<SimulatedNodeConfig, "certificate" | "ledgerSecrets" | "service">;

export class Consortium {
  readonly #suite: CryptoSuite;
  readonly #member: KeyPair;
  readonly #memberCertificate: string;
  readonly #service: ServiceKeys;
  readonly #wrapping: KeyWrapping;

  constructor(suite: CryptoSuite, nowMs: number) {
    this.#suite = suite;
    this.#wrapping = simulatedKeyWrapping((length) => suite.randomBytes(length));
    this.#member = suite.generateKeyPair("P-384");
    const der = createSelfSigned(suite, this.#member, { name: "member0", hosts: [], ...validity(nowMs, 1) });
    this.#memberCertificate = pemEncode("CERTIFICATE", der);
    this.#service = newServiceKeys(suite, nowMs);
  }

  get members(): readonly Member[] {
    return [readMember(this.#suite, this.#memberCertificate)];
  }

  newIdentity(): NodeIdentity {
    const keyPair = this.#suite.generateKeyPair("P-384");
    const encryption = { wrapping: this.#wrapping, ...this.#wrapping.generateKeyPair() };
    return { keyPair, id: nodeIdOf(this.#suite, keyPair.publicKey), encryption };
  }

  founderConfig(own: OwnConfig, nowMs: number): SimulatedNodeConfig {
    const { id, keyPair } = own;
    const certificate = endorseNode(this.#suite, this.#service, { id, publicKey: keyPair.publicKey, hosts: [] }, nowMs);
    const key = this.#suite.randomBytes(32);
    return { ...own, service: this.#service, certificate, ledgerSecrets: [{ from: seqno(1), key }] };
  }

  /** @param network - What the service told the joiner. */
  joinerConfig(own: OwnConfig, network: JoinedNetwork): SimulatedNodeConfig {
    return {
      ...own,
      service: this.#service,
      certificate: pemDecode("CERTIFICATE", network.endorsedCertificate),
      ledgerSecrets: network.ledgerSecrets.map(({ from, key }) => ({ from, key: fromBase64(key) })),
    };
  }

  /** @param startupSeqno - Of the snapshot it starts from; 0 without one. */
  joinRequest(
    { keyPair, id, encryption, nodeAddress, apiAddress }: OwnConfig,
    startupSeqno: Seqno,
    nowMs: number,
  ): SimulatedRequest {
    const callerCertificate = createSelfSigned(this.#suite, keyPair, { name: id, hosts: [], ...validity(nowMs, 1) });
    const publicKey = base64(keyPair.publicKey.spki);
    const own = { publicKey, encryptionKey: encryption?.publicKey, nodeAddress, apiAddress };
    const body = utf8(JSON.stringify({ ...own, startupSeqno }));
    return { method: "POST", path: "/node/join", body, callerCertificate };
  }

  /** The vote that decides: the service has one member. */
  ballotFor(nodeId: NodeId, type: NodeAction["type"]): SimulatedRequest {
    return this.ballot({ type, nodeId });
  }

  ballot(action: GovernanceAction): SimulatedRequest {
    const signature = this.#suite.sign(this.#member.privateKey, ballotBytes(this.#service.id, action));
    const [member] = this.members;
    const body = utf8(JSON.stringify({ action, memberId: member?.id, signature: base64(signature) }));
    return { method: "POST", path: "/governance/ballots", body };
  }
}
