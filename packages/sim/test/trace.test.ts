/** Traces have the form of raft-trace.md, and tell of one network: what is received was sent before, and nothing vanishes unsaid. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runScenario } from "../src/scenario/run.js";
import { Trace, type TraceLine } from "../src/scenario/trace.js";

const shared = process.env.SEALANE_SHARED ?? fileURLToPath(new URL("../../../../shared", import.meta.url));
const folders = [join(shared, "raft-scenarios"), fileURLToPath(new URL("../../consensus/scenarios", import.meta.url))];
const files = folders.filter(existsSync).flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
const scenarios = files.filter((file) => !file.endsWith(".md"));

function traceOf(text: string): readonly TraceLine[] {
  const trace = new Trace();
  runScenario(text, { observers: [trace] });
  return trace.lines;
}

const NUMBER = (value: unknown) => Number.isSafeInteger(value);
const TEXT = (value: unknown) => typeof value === "string";
const FLAG = (value: unknown) => typeof value === "boolean";
const one =
  (...values: readonly unknown[]) =>
  (value: unknown) =>
    values.includes(value);

type Shape = Readonly<Record<string, (value: unknown) => boolean>>;

/** A key that ends in `?` may be missing; no other key may be there. */
function hasShape(value: unknown, shape: Shape): boolean {
  if (typeof value !== "object" || value === null) return false;
  const fields = new Map(Object.entries(value));
  return (
    Object.entries(shape).every(([key, holds]) => {
      const name = key.replace("?", "");
      const found = fields.has(name) ? holds(fields.get(name)) : key.endsWith("?");
      fields.delete(name);
      return found;
    }) && fields.size === 0
  );
}

const STATE: Shape = {
  node_id: TEXT,
  current_view: NUMBER,
  last_idx: NUMBER,
  commit_idx: NUMBER,
  leadership_state: one("None", "Follower", "PreVoteCandidate", "Candidate", "Leader"),
  membership_state: one("Active", "Retired"),
  pre_vote_enabled: FLAG,
  "committable_indices?": (value) => Array.isArray(value) && value.length <= 2 && value.every(NUMBER),
  "retirement_phase?": one("Ordered", "Signed", "Completed", "RetiredCommitted"),
  "retirement_idx?": NUMBER,
  "retirement_committable_idx?": NUMBER,
  "retired_committed_idx?": NUMBER,
};
const PACKETS: Readonly<Record<string, Shape>> = {
  raft_append_entries: {
    term: NUMBER,
    prev_idx: NUMBER,
    prev_term: NUMBER,
    idx: NUMBER,
    leader_commit_idx: NUMBER,
    term_of_idx: NUMBER,
    contains_new_view: one(false),
  },
  raft_append_entries_response: { term: NUMBER, last_log_idx: NUMBER, success: one("OK", "FAIL") },
  raft_request_vote: {
    term: NUMBER,
    last_committable_idx: NUMBER,
    term_of_last_committable_idx: NUMBER,
    "election_type?": one("PreVote"),
  },
  raft_request_vote_response: { term: NUMBER, vote_granted: FLAG, "election_type?": one("PreVote") },
  raft_propose_request_vote: { term: NUMBER },
};
const packet =
  (...kinds: readonly string[]) =>
  (value: unknown) =>
    typeof value === "object" &&
    value !== null &&
    "msg" in value &&
    kinds.includes(String(value.msg)) &&
    hasShape(value, { ...PACKETS[String(value.msg)], msg: TEXT });
const configuration = (value: unknown) =>
  hasShape(value, {
    idx: NUMBER,
    rid: NUMBER,
    nodes: (nodes) => Object.values(Object(nodes)).every((node) => hasShape(node, { address: one(":") })),
  });
const configurations = (value: unknown) => Array.isArray(value) && value.every(configuration);
const committed = { configurations, args: (value: unknown) => hasShape(value, { idx: NUMBER }) };
const progress = { match_idx: NUMBER, sent_idx: NUMBER };

const EVENTS: Readonly<Record<string, Shape>> = {
  bootstrap: committed,
  replicate: { view: NUMBER, seqno: NUMBER, globally_committable: FLAG },
  add_configuration: { configurations, args: (value) => hasShape(value, { configuration }) },
  commit: committed,
  send_append_entries: { to_node_id: TEXT, packet: packet("raft_append_entries"), ...progress },
  recv_append_entries: { from_node_id: TEXT, packet: packet("raft_append_entries") },
  execute_append_entries_sync: { from_node_id: TEXT },
  send_append_entries_response: { to_node_id: TEXT, packet: packet("raft_append_entries_response") },
  recv_append_entries_response: { from_node_id: TEXT, packet: packet("raft_append_entries_response"), ...progress },
  become_pre_vote_candidate: { configurations },
  become_candidate: { configurations },
  become_leader: { configurations },
  become_follower: { configurations },
  send_request_vote: { to_node_id: TEXT, packet: packet("raft_request_vote") },
  recv_request_vote: { from_node_id: TEXT, packet: packet("raft_request_vote") },
  recv_request_vote_response: { from_node_id: TEXT, packet: packet("raft_request_vote_response") },
  recv_propose_request_vote: { from_node_id: TEXT, packet: packet("raft_propose_request_vote") },
  drop_pending_to: { from_node_id: TEXT, to_node_id: TEXT, packet: packet(...Object.keys(PACKETS)) },
};

function checkForm(lines: readonly TraceLine[]): void {
  let before = 0;
  for (const line of lines) {
    const { function: event } = line.msg;
    const envelope = { h_ts: TEXT, tag: one("raft_trace"), cmd: TEXT, cmd_prefix: TEXT, msg: () => true };
    expect(hasShape(line, envelope), JSON.stringify(line)).toBe(true);
    expect(Number(line.h_ts)).toBeGreaterThan(before);
    before = Number(line.h_ts);
    const dropped = event === "drop_pending_to";
    const state = (value: unknown) => hasShape(value, STATE) && "committable_indices" in Object(value) !== dropped;
    expect(hasShape(line.msg, { ...EVENTS[event], function: TEXT, state }), JSON.stringify(line)).toBe(true);
  }
}

/** Every append-entries and vote request that is received or lost was sent, per pair in the order it was sent. */
function checkNetwork(lines: readonly TraceLine[]): void {
  const sent = new Map<string, string[]>();
  const queue = (from: unknown, to: unknown) => {
    const pair = `${from}>${to}`;
    const messages = sent.get(pair) ?? [];
    sent.set(pair, messages);
    return messages;
  };
  for (const { msg } of lines) {
    const id = Object(msg.state).node_id;
    const kind = Object(msg.packet).msg;
    if (kind !== "raft_append_entries" && kind !== "raft_request_vote" && kind !== "raft_append_entries_response")
      continue;
    const text = JSON.stringify(msg.packet);
    if (msg.function.startsWith("send_")) queue(id, msg.to_node_id).push(text);
    else if (msg.function.startsWith("recv_")) expect(queue(msg.from_node_id, id).shift()).toBe(text);
    else expect(queue(msg.from_node_id, msg.to_node_id).shift()).toBe(text);
  }
}

describe("the trace of a scenario", () => {
  if (scenarios.length === 0) {
    test.skip("skipped: no scenario files; set SEALANE_SHARED to the folder that holds raft-scenarios", () => {});
    return;
  }
  test.each(scenarios)("%s: every line has the form of raft-trace.md", (file) => {
    checkForm(traceOf(readFileSync(file, "utf8")));
  });

  test.each(scenarios)("%s: what is received or lost was sent", (file) => {
    const text = readFileSync(file, "utf8");
    if (/^shuffle/m.test(text)) return; // out of order on purpose
    const lines = traceOf(text);
    // A response from a node the leader has forgotten makes no event (raft-trace.md §6), so later ones from it would not fit.
    if (!/^cleanup_nodes/m.test(text)) checkNetwork(lines);
  });
});

describe("events and commands", () => {
  const text =
    "start_node,0\nemit_signature,2\n# a comment\ntrust_node,2,1\nemit_signature,2\nperiodic_all,10\ndispatch_all\n";
  const lines = traceOf(text);

  test("the start of the service stands in one line", () => {
    expect(lines[0]).toMatchObject({
      msg: { function: "bootstrap", args: { idx: 2 }, state: { node_id: "0", last_idx: 2 } },
    });
  });

  test("a command belongs to the next event, its prefix not to a configuration", () => {
    const named = lines
      .filter(({ cmd }) => cmd !== "")
      .map(({ cmd, cmd_prefix, msg }) => [cmd, cmd_prefix, msg.function]);
    expect(named).toEqual([
      ["trust_node,2,1", "", "add_configuration"],
      ["emit_signature,2", "emit_signature", "replicate"],
      ["periodic_all,10", "periodic_all", "send_append_entries"],
      ["dispatch_all", "dispatch_all", "recv_append_entries"],
    ]);
  });

  test("a new node gets its first message before the entry that adds it counts", () => {
    expect(lines[2]?.msg).toMatchObject({
      function: "send_append_entries",
      to_node_id: "1",
      packet: { prev_idx: 2, idx: 2 },
      sent_idx: 3,
      match_idx: 0,
      state: { last_idx: 2 },
    });
  });

  test("a scenario that begins otherwise has no trace", () => {
    expect(() => traceOf("start_node,0\nreplicate,2,x\nemit_signature,2\n")).toThrow("it has no trace");
  });
});
