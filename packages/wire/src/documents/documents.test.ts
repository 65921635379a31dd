import { describe, expect, test } from "vitest";
import { seqno, view } from "../brands.js";
import { base64, hex, utf8 } from "../bytes.js";
import { WireError } from "../errors.js";
import { parseNodeId } from "../ids.js";
import {
  ERROR_CODES,
  parseErrorAnswer,
  parseRecordAnswer,
  parseTxStatusResponse,
  parseWriteAnswer,
} from "./answers.js";
import { parseJson } from "./document.js";
import { ballotBytes, parseBallot, parseBallotAnswer } from "./governance.js";
import { parseEntriesPage, parseHistoricalEntry, parseKeyHistoryPage } from "./history.js";
import { parseJoinRequest, parseJoinResponse } from "./join.js";
import { parseNetworkState, parseNodeState } from "./state.js";

const ID = "0764351932f03b46bcfaf4eea8472f5fb828a4cd24c981b18ac60f82a037b6ea";
const PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const KEY_PEM = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
const SECRET = base64(new Uint8Array(32).fill(7));
const NODE = { id: ID, status: "trusted", nodeAddress: "127.0.0.1:7001", apiAddress: "[::1]:8001" };
const CHANNEL = {
  peer: ID,
  state: "ESTABLISHED",
  open: true,
  version: 2,
  keyAgeMs: null,
  sent: 1,
  received: 0,
  recordsLeft: 23_726_565,
  lastError: null,
  exchanges: 1,
};

const JOIN_REQUEST = { publicKey: base64(new Uint8Array(120)), nodeAddress: "a:1", apiAddress: "b:2" };
const JOINED = {
  status: "trusted",
  nodeId: ID,
  network: {
    serviceCertificate: PEM,
    servicePrivateKey: KEY_PEM,
    endorsedCertificate: PEM,
    ledgerSecrets: [{ from: 1, key: SECRET }],
    nodes: [NODE],
    trustSeqno: 12,
  },
};
const NODE_STATE = {
  nodeId: ID,
  phase: "active",
  role: "primary",
  view: 2,
  lastSeqno: 17,
  committed: "2.17",
  primary: null,
  channels: [CHANNEL],
  nodes: [NODE],
  uptimeMs: 5,
};
const NETWORK_STATE = {
  serviceCertificate: PEM,
  view: 2,
  primary: ID,
  primaryApi: "127.0.0.1:8001",
  ledgerSecretSeqno: 1,
  nodes: [NODE],
  members: [ID],
};
const BALLOT = { action: { type: "trust-node", nodeId: ID }, memberId: ID, signature: base64(new Uint8Array(96)) };
const ERROR = { error: { code: "lost", message: "rolled back", retryable: true, txId: "2.3" } };

describe.each([
  ["join request", parseJoinRequest, JOIN_REQUEST],
  ["pending join response", parseJoinResponse, { status: "pending", nodeId: ID }],
  ["trusted join response", parseJoinResponse, JOINED],
  [
    "network state with a node that is gone",
    parseNetworkState,
    { ...NETWORK_STATE, nodes: [{ ...NODE, status: "retired", retiredCommitted: true }] },
  ],
  ["node state", parseNodeState, NODE_STATE],
  ["network state", parseNetworkState, NETWORK_STATE],
  ["ballot", parseBallot, BALLOT],
  ["ballot to remove", parseBallot, { ...BALLOT, action: { type: "remove-node", nodeId: ID } }],
  ["ballot to hand over", parseBallot, { ...BALLOT, action: { type: "transfer-primary", nodeId: ID, view: 3 } }],
  ["answer to a ballot", parseBallotAnswer, { txId: "2.3", status: "open" }],
  ["transaction status", parseTxStatusResponse, { txId: "2.3", status: "pending" }],
  ["answer to a read", parseRecordAnswer, { key: "a", value: { b: [1, null] }, txId: "2.3" }],
  ["error answer", parseErrorAnswer, ERROR],
] as const)("%s", (_, parse, document) => {
  test("is read back from its JSON text", () => {
    expect(parse(parseJson(JSON.stringify(document)))).toEqual(document);
    expect(parse(parseJson(utf8(JSON.stringify(document))))).toEqual(document);
  });

  test("is refused with an unknown field, also one named __proto__", () => {
    const text = JSON.stringify(document).slice(0, -1);
    for (const name of ["stowaway", "constructor", "__proto__"]) {
      expect(() => parse(parseJson(`${text},${JSON.stringify(name)}:1}`))).toThrow(
        expect.objectContaining({ code: "malformed" }),
      );
    }
  });

  test("is refused when any field is missing or of another type, and the sentence names it", () => {
    for (const field of Object.keys(document)) {
      for (const value of [undefined, 1.5, true, {}, "?"]) {
        if (field === "value") continue; // an application's own: any JSON will do
        const message = refusal(() => parse({ ...document, [field]: value }));
        expect(message).toContain(field);
      }
    }
  });

  test("is refused when it is no object", () => {
    for (const value of [undefined, null, 1, "text", [], () => 0]) {
      expect(() => parse(value)).toThrow(WireError);
    }
  });
});

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof WireError && error.code === "malformed") return error.message;
    throw error;
  }
  throw new Error("accepted");
}

test("the sentence names a field inside a list", () => {
  const wrong = { ...NODE_STATE, nodes: [NODE, { ...NODE, nodeAddress: "nowhere" }] };
  expect(refusal(() => parseNodeState(wrong))).toBe(
    'the field "nodes[1].nodeAddress" of the node state is wrong: expected "host:port"',
  );
});

test("the sentence of what is no document at all names the document alone", () => {
  expect(refusal(() => parseNodeState(null))).toMatch(/^the node state is wrong: expected object/);
});

test("the sentence names an unknown field", () => {
  expect(refusal(() => parseJoinRequest({ ...JOIN_REQUEST, extra: 1 }))).toBe(
    'the join request has an unknown field "extra"',
  );
  expect(refusal(() => parseBallot({ ...BALLOT, action: { ...BALLOT.action, extra: 1 } }))).toBe(
    'the ballot has an unknown field "action.extra"',
  );
});

test("an unknown field's name is cut, or a sender could fill a log with it", () => {
  expect(refusal(() => parseJoinRequest({ ...JOIN_REQUEST, ["x".repeat(10_000)]: 1 })).length).toBeLessThan(120);
});

test("no message and no cause repeats a secret", () => {
  const network = { ...JOINED.network, ledgerSecrets: [{ from: 1, key: `${SECRET}secret` }] };
  for (const act of [() => parseJoinResponse({ ...JOINED, network }), () => parseJson(`{"key": "${SECRET}`)]) {
    try {
      act();
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      expect(error.message).not.toContain(SECRET.slice(0, 8));
      expect(error.cause).toBeUndefined();
    }
  }
});

test.each([
  ["a view above 2^31 - 1", { view: 2 ** 31 }],
  ["a seqno above 2^53 - 1", { lastSeqno: 2 ** 53 }],
  ["a negative seqno", { lastSeqno: -1 }],
  ["a transaction id with a leading zero", { committed: "02.1" }],
  ["an id in upper case", { nodeId: ID.toUpperCase() }],
  ["a role that does not exist", { role: "leader" }],
  ["more nodes than a service may have", { nodes: Array(1025).fill(NODE) }],
])("a node state with %s is refused", (_, change) => {
  expect(() => parseNodeState({ ...NODE_STATE, ...change })).toThrow(WireError);
});

test.each([
  ["too short", base64(new Uint8Array(31))],
  ["too long", base64(new Uint8Array(33))],
  ["not base64", "!".repeat(44)],
])("a ledger secret that is %s is refused", (_, key) => {
  const network = { ...JOINED.network, ledgerSecrets: [{ from: 1, key }] };
  expect(refusal(() => parseJoinResponse({ ...JOINED, network }))).toContain("network.ledgerSecrets[0].key");
});

test.each(["", "AAAA", PEM.slice(1), KEY_PEM, PEM + PEM, `${PEM}#`, PEM.replace("AAAA", "A A")])(
  "%j is no certificate",
  (pem) => {
    expect(() => parseNetworkState({ ...NETWORK_STATE, serviceCertificate: pem })).toThrow(WireError);
  },
);

test("a write's answer keeps the fields an application adds", () => {
  const answer = { txId: "2.3", status: "committed", created: true };
  expect(parseWriteAnswer(answer)).toEqual(answer);
  expect(refusal(() => parseWriteAnswer({ ...answer, status: "maybe" }))).toContain("status");
});

test("a deeply nested value is read, not walked", () => {
  const depth = 50_000;
  const text = `{"key":"a","txId":"2.3","value":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  expect(parseRecordAnswer(parseJson(text)).key).toBe("a");
  expect(refusal(() => parseRecordAnswer({ key: "a", txId: "2.3" }))).toContain("value");
  expect(refusal(() => parseRecordAnswer({ key: "a", txId: "2.3", value: undefined }))).toContain("value");
});

test("every error code is taken, any other refused; txId may be absent", () => {
  for (const code of ERROR_CODES) {
    const answer = { error: { code, message: "", retryable: false } };
    expect(parseErrorAnswer(answer)).toEqual(answer);
  }
  expect(() => parseErrorAnswer({ error: { ...ERROR.error, code: "other" } })).toThrow(WireError);
});

test("text that is not JSON is malformed, bytes that are not text are utf8", () => {
  expect(() => parseJson("{")).toThrow(expect.objectContaining({ code: "malformed" }));
  expect(() => parseJson(Uint8Array.of(0xff))).toThrow(expect.objectContaining({ code: "utf8" }));
});

test("what a member signs names the service, the action and the node", () => {
  const nodeId = parseNodeId("22".repeat(32));
  const bytes = ballotBytes("11".repeat(32), { type: "trust-node", nodeId });
  const label = hex(utf8("sealane/governance/ballot/1"));
  expect(hex(bytes)).toBe(`${label}00${"11".repeat(32)}0a000000${hex(utf8("trust-node"))}${"22".repeat(32)}`);
  const remove = ballotBytes("11".repeat(32), { type: "remove-node", nodeId });
  expect(hex(remove)).toBe(`${label}00${"11".repeat(32)}0b000000${hex(utf8("remove-node"))}${"22".repeat(32)}`);
  const transfer = ballotBytes("11".repeat(32), { type: "transfer-primary", nodeId, view: view(0x0304) });
  expect(hex(transfer)).toBe(
    `${label}00${"11".repeat(32)}10000000${hex(utf8("transfer-primary"))}${"22".repeat(32)}0403000000000000`,
  );
  expect(() => ballotBytes("11", { type: "trust-node", nodeId })).toThrow(RangeError);
  const rotation = ballotBytes("11".repeat(32), { type: "rotate-ledger-secret", current: seqno(258) });
  expect(hex(rotation)).toBe(
    `${label}00${"11".repeat(32)}14000000${hex(utf8("rotate-ledger-secret"))}0201000000000000`,
  );
});

describe("the past", () => {
  const entry = {
    txId: "2.7",
    bytes: 400,
    writeSetDigest: ID,
    claimsDigest: null,
    signature: { node: ID, root: ID },
    publicMaps: [{ name: "public:a", writes: [["YQ==", ""]], removes: ["Yg=="] }],
    privateMaps: [],
    privateBytes: 0,
  };
  const range = { from: 1, to: 9, next: null };
  const changes = [
    { txId: "2.7", value: null },
    { txId: "2.8", removed: true },
  ];

  test("is read with its bytes as bytes", () => {
    const maps = [{ name: "public:a", writes: [[utf8("a"), utf8("")]], removes: [utf8("b")] }];
    expect(parseHistoricalEntry(entry)).toEqual({ ...entry, publicMaps: maps });
    expect(parseEntriesPage({ entries: [entry], ...range }).entries[0]?.publicMaps).toEqual(maps);
    expect(parseKeyHistoryPage({ changes, ...range })).toEqual({ changes, ...range });
  });

  test.each([
    ["a change that is both", { changes: [{ txId: "2.7", value: 1, removed: true }] }, "changes[0]"],
    ["a change that is neither", { changes: [{ txId: "2.7" }] }, "changes[0]"],
    ["a removal that is none", { changes: [{ txId: "2.7", removed: false }] }, "changes[0]"],
    ["a next that is no seqno", { next: 1.5 }, "next"],
    ["more changes than a page has", { changes: Array(1_001).fill(changes[0]) }, "changes"],
  ])("with %s is refused", (_, change, part) => {
    expect(refusal(() => parseKeyHistoryPage({ changes, ...range, ...change }))).toContain(part);
  });

  test.each([
    ["base64 with bits left over", { publicMaps: [{ name: "a", writes: [["YR==", ""]], removes: [] }] }, "writes"],
    ["three parts in a write", { publicMaps: [{ name: "a", writes: [["", "", ""]], removes: [] }] }, "writes"],
    ["a node id in upper case", { signature: { node: ID.toUpperCase(), root: ID } }, "signature.node"],
  ])("with %s is refused", (_, change, part) => {
    expect(refusal(() => parseHistoricalEntry({ ...entry, ...change }))).toContain(part);
  });
});
