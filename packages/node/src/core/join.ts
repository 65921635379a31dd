/**
 * A node's request to join, and the answer that makes it a member (ledger spec §12). The answer carries the whole trust of the service,
 * hence: nothing before the consortium has trusted the node, and only to the holder of the key that was trusted.
 */
import { parseCertificate, pemEncode } from "@sealane/crypto";
import {
  base64,
  equalBytes,
  fromBase64,
  type JoinRequest,
  type JoinResponse,
  type NodeId,
  parseJoinRequest,
  seqno,
} from "@sealane/wire";
import { type EndpointRequest, parseJson } from "./app.js";
import { RequestError } from "./errors.js";
import { recordJoin } from "./governance.js";
import { nodeCurves, nodeIdOf } from "./identity.js";
import type { ReplicatedLog } from "./replicated-log.js";
import { endorsedCertificates, networkNodes, nodeInfos } from "./tables.js";
import type { CoreConfig } from "./types.js";

/** Who asks to join, with proof that it holds its key. */
export interface Joiner {
  readonly id: NodeId;
  readonly request: JoinRequest;
}

export interface JoinAnswer {
  readonly status: 200 | 308;
  readonly body: JoinResponse | Record<string, never>;
  readonly location?: string;
}

/**
 * Reads a join request.
 * @throws RequestError `forbidden` without a client certificate over the joiner's own key, or for a key on
 * another curve than the service has; WireError, CertificateError, CryptoError.
 */
export function readJoiner({ suite, service }: CoreConfig, input: EndpointRequest<Uint8Array>): Joiner {
  const request = parseJoinRequest(parseJson(input.body));
  const spki = fromBase64(request.publicKey);
  if (
    input.callerCertificate === undefined ||
    !equalBytes(parseCertificate(suite, input.callerCertificate).publicKey.spki, spki)
  ) {
    throw new RequestError(
      "forbidden",
      "Join over TLS with a client certificate for the very key that is to be trusted.",
    );
  }
  const publicKey = suite.importPublicKey(spki);
  const curves = nodeCurves(service.keyPair.publicKey.curve);
  if (!curves.includes(publicKey.curve)) {
    throw new RequestError(
      "forbidden",
      `This service has node keys on ${curves.join(" or ")}, not ${publicKey.curve}.`,
    );
  }
  return { id: nodeIdOf(suite, publicKey), request };
}

/**
 * Answers a join request. A trusted node gets its answer from any node, as soon as its trust stands under a signature: with one node and
 * one joiner the trust can only commit once the joiner takes part (consensus spec §10.1: both configurations count).
 * Once it has taken part nobody is answered in its name again, so that a node key that leaks later is not worth the service's secrets.
 * @param canServe - Whether this node can send every entry behind the joiner's snapshot.
 * @throws RequestError `conflict` then; `startup-seqno-old` if it cannot, `no-quorum` without a primary to record it.
 */
export function answerJoin(
  config: CoreConfig,
  log: ReplicatedLog,
  { id, request }: Joiner,
  canServe: boolean,
  nowMs: number,
): JoinAnswer {
  const trusted = trustedAnswer(config, log, id);
  if (trusted !== undefined) {
    if (!canServe) throw tooOld(request);
    return { status: 200, body: trusted };
  }

  const latest = log.store.read("latest");
  if (log.standing.role !== "primary") {
    const primary = networkNodes(latest, latest).find((node) => node.id === log.replica.primary);
    if (primary === undefined)
      throw new RequestError("no-quorum", "No primary is known that could record this. Ask again.");
    return { status: 308, body: {}, location: `https://${primary.apiAddress}/node/join` };
  }
  if (!canServe) throw tooOld(request);
  const tx = log.store.begin();
  recordJoin(tx, id, request);
  const writeSet = tx.writeSet();
  if (writeSet.length > 0) log.append(writeSet, nowMs);
  return { status: 200, body: { status: "pending", nodeId: id } };
}

function trustedAnswer({ suite, service }: CoreConfig, log: ReplicatedLog, id: NodeId): JoinResponse | undefined {
  const latest = log.store.read("latest");
  const trustedIn = latest.map(nodeInfos).versionOf(id);
  const certificate = latest.map(endorsedCertificates).get(id);
  const info = latest.map(nodeInfos).get(id);
  if (info?.status !== "Trusted") return undefined;
  if (info.joined) {
    throw new RequestError(
      "conflict",
      "This node has joined already: start it again with its own directory, or join anew.",
    );
  }
  if (trustedIn === undefined || certificate === undefined) return undefined;
  if (trustedIn.seqno > log.replica.lastCommittableSeqno) return undefined; // could still be rolled back by this very node
  return {
    status: "trusted",
    nodeId: id,
    network: {
      serviceCertificate: pemEncode("CERTIFICATE", service.certificate),
      servicePrivateKey: pemEncode("PRIVATE KEY", suite.exportPrivateKey(service.keyPair.privateKey)),
      endorsedCertificate: certificate,
      // The joiner's snapshot may be behind a transaction that brought one. One that could still be taken back reaches it in the ledger.
      ledgerSecrets: log.secrets
        .filter(({ from }) => from <= Math.max(trustedIn.seqno, log.replica.commitSeqno + 1))
        .map(({ from, key }) => ({ from, key: base64(key) })),
      nodes: networkNodes(latest, log.store.read("committed")),
      trustSeqno: trustedIn.seqno,
    },
  };
}

/** Ledger spec §12, step 4. */
function tooOld({ startupSeqno = seqno(0) }: JoinRequest): RequestError {
  const what = startupSeqno === 0 ? "the first entry of the ledger" : `entry ${startupSeqno + 1}`;
  return new RequestError(
    "startup-seqno-old",
    `This node does not hold ${what} any more. Join with a newer snapshot, as GET /node/snapshot gives one.`,
  );
}
