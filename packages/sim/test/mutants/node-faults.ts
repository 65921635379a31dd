/** Ways to put a node together wrongly, and to forget in a restart what it promised. Only the simulation of whole clusters can tell. */
import type { Fault } from "./plant.js";

function fault(name: string, what: string, file: string, find: string, replace: string): Fault {
  const path = file.includes("/") ? file : `node/src/core/${file}`;
  return { name: `node: ${name}`, what, edits: [{ file: `${path}.ts`, find, replace }] };
}

const GATE = "consensus/src/durability-gate";
const NEEDS = "needs: Math.max(this.#hardStateToken, this.#tokenCovering(holds))";

export const NODE_FAULTS: readonly Fault[] = [
  fault(
    "answer before commit",
    "a write is answered as committed once it is executed",
    "execution",
    "else if (writeSet.length > 0) this.#waiters.add({ txId: seen, deadlineMs, finish });",
    'else if (writeSet.length > 0) finish("committed");',
  ),
  fault(
    "lost is committed",
    "what is rolled back is answered as committed",
    "commit-waiters",
    'finish(lost, "lost");',
    'finish(lost, "committed");',
  ),
  fault(
    "dirty reads",
    "reads see what is not committed yet",
    "execution",
    'const reply = route.run(this.#log.store.read("committed"), input);',
    'const reply = route.run(this.#log.store.read("latest"), input);',
  ),
  fault(
    "stale reads",
    "a linearizable read does not ask whether there is something newer",
    "execution",
    "    this.#whenNewest(() => guard(answer, () => this.read(route, input, answer)), answer, deadlineMs, nowMs);",
    "    void deadlineMs;\n    this.read(route, input, answer);",
  ),
  fault(
    "no truncation",
    "storage is not told what was rolled back",
    "log-changes",
    'this.#tell({ type: "truncate", to, signedTo });',
    "void signedTo;",
  ),
  fault(
    "forward twice",
    "a backup sends a client's write on twice",
    "forwarder",
    "    if (!sent) {\n      this.#forwarding.remove(commandId);",
    '    this.#send(\n      primary,\n      { type: "command", commandId, view },\n' +
      "      encodeForwardedRequest({ sessionId: NO_SESSION, method, path, body, ...caller }),\n      nowMs,\n    );\n" +
      "    if (!sent) {\n      this.#forwarding.remove(commandId);",
  ),
  fault(
    "acknowledge before persist",
    "a backup acknowledges entries that its disk does not hold yet",
    GATE,
    NEEDS,
    "needs: this.#hardStateToken",
  ),
  fault(
    "vote before persist",
    "votes leave before the disk holds them",
    GATE,
    NEEDS,
    "needs: this.#tokenCovering(holds)",
  ),
  fault(
    "own copy before persist",
    "a primary counts its own copy of entries that its disk does not hold yet",
    GATE,
    "return this.#durable ? this.#durableSeqno : lastSeqno;",
    "return lastSeqno;",
  ),
  fault(
    "wait for nothing",
    "the core is told that everything is durable at once",
    "replicated-log",
    "this.#outputs.push(this.#persistOutput(output));",
    "this.#outputs.push(this.#persistOutput(output));\n" +
      '        this.replica.handle({ type: "persisted", token: output.token }, nowMs);',
  ),
  fault(
    "forget the vote",
    "a node that comes back knows its view, and not for whom it voted there",
    "open-replica",
    "const voted = { view: lastView, votedFor };",
    "const voted = { view: lastView, votedFor: votedFor && undefined };",
  ),
  fault(
    "forget the view",
    "a node that comes back knows no view but that of its last entry",
    "open-replica",
    "const voted = { view: lastView, votedFor };",
    "const voted = { view: entries.at(-1)?.view ?? lastView, votedFor };",
  ),
];
