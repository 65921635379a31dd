/** The requests every node answers, whatever its application: state, network, transactions and the past, joining, governance. */
import { parseCertificate, pemEncode } from "@sealane/crypto";
import {
  type NetworkState,
  type NodeState,
  parseBallot,
  parseNodeAddresses,
  parseTxId,
  type TxStatusResponse,
} from "@sealane/wire";
import { type EndpointRequest, parseJson, type Route, type RoutePattern, type WriteRoute } from "./app.js";
import { RequestError } from "./errors.js";
import { castBallot, recordAddresses } from "./governance.js";
import { entriesQuery, entryQuery, type HistoryQuery } from "./history-query.js";
import { nodeIdOf } from "./identity.js";
import type { ReplicatedLog } from "./replicated-log.js";
import { memberCertificates, networkNodes } from "./tables.js";
import type { CoreConfig } from "./types.js";

/** Answered at once, from what this node knows. */
interface LocalRoute extends RoutePattern {
  readonly type: "service";
  run(request: EndpointRequest<Uint8Array>, nowMs: number): NodeState | NetworkState | TxStatusResponse;
}

interface JoinRoute extends RoutePattern {
  readonly type: "join";
}

interface ReceiptRoute extends RoutePattern {
  readonly type: "receipt";
}

/** What any node can say of the ledger's past. */
interface PastRoute extends RoutePattern {
  readonly type: "past";
  run(request: EndpointRequest<Uint8Array>): HistoryQuery;
}

export type ServiceRoute = LocalRoute | JoinRoute | ReceiptRoute | PastRoute | Route;

export function serviceRoutes(
  config: CoreConfig,
  log: ReplicatedLog,
  state: (nowMs: number) => NodeState,
): readonly ServiceRoute[] {
  const ballots: WriteRoute = {
    type: "write",
    method: "POST",
    segments: ["governance", "ballots"],
    run(tx, { body }, nowMs) {
      const accepted = castBallot(tx, parseBallot(parseJson(body)), {
        suite: config.suite,
        service: config.service,
        nowMs,
        id: config.id,
        view: log.replica.view,
        secrets: {
          wrapping: config.encryption?.wrapping,
          current: log.currentSecret,
          count: log.secrets.length,
          isSettled: log.isSecretSettled,
        },
      });
      return { body: { status: accepted ? "accepted" : "open" } };
    },
  };
  const addresses: WriteRoute = {
    type: "write",
    method: "PUT",
    segments: ["node", "addresses"],
    run(tx, { body, callerCertificate }, nowMs) {
      const { suite, service } = config;
      if (callerCertificate === undefined)
        throw new RequestError("forbidden", "Say this over TLS, with a certificate for the node's key.");
      const id = nodeIdOf(suite, parseCertificate(suite, callerCertificate).publicKey);
      recordAddresses(tx, id, parseNodeAddresses(parseJson(body)), { suite, service, nowMs });
      return { body: {} };
    },
  };
  const { shownMaps } = config.app;
  const entry: PastRoute = {
    type: "past",
    method: "GET",
    segments: ["tx", ":txId", "entry"],
    run: ({ params }) => entryQuery(parseTxId(params.txId ?? ""), shownMaps),
  };
  const entries: PastRoute = {
    type: "past",
    method: "GET",
    segments: ["tx"],
    run: ({ query }) => entriesQuery(query, shownMaps),
  };
  return [
    { type: "service", method: "GET", segments: ["node", "state"], run: (_request, nowMs) => state(nowMs) },
    { type: "service", method: "GET", segments: ["node", "network"], run: () => networkState(config, log) },
    {
      type: "service",
      method: "GET",
      segments: ["tx", ":txId"],
      run: ({ params }) => ({ txId: params.txId ?? "", status: log.replica.status(parseTxId(params.txId ?? "")) }),
    },
    { type: "receipt", method: "GET", segments: ["tx", ":txId", "receipt"] },
    entry,
    entries,
    { type: "join", method: "POST", segments: ["node", "join"] },
    addresses,
    ballots,
  ];
}

function networkState({ service }: CoreConfig, { store, replica, secretSeqno }: ReplicatedLog): NetworkState {
  const latest = store.read("latest");
  const nodes = networkNodes(latest, store.read("committed"));
  return {
    serviceCertificate: pemEncode("CERTIFICATE", service.certificate),
    view: replica.view,
    primary: replica.primary ?? null,
    primaryApi: nodes.find(({ id }) => id === replica.primary)?.apiAddress ?? null,
    nodes,
    ledgerSecretSeqno: secretSeqno,
    members: [...latest.map(memberCertificates).entries()].map(([id]) => id),
  };
}
