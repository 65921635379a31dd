/** Ways to put a node together wrongly around a core that is right. Only the simulation of whole clusters can tell. */
import type { Fault } from "./plant.js";

function fault(name: string, what: string, file: string, find: string, replace: string): Fault {
  return { name: `node: ${name}`, what, edits: [{ file: `node/src/core/${file}.ts`, find, replace }] };
}

export const NODE_FAULTS: readonly Fault[] = [
  fault(
    "answer before commit",
    "a write is answered as committed once it is executed",
    "client-requests",
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
    "client-requests",
    'const reply = route.run(this.#log.store.read("committed"), input);',
    'const reply = route.run(this.#log.store.read("latest"), input);',
  ),
  fault(
    "stale reads",
    "a linearizable read does not ask whether there is something newer",
    "client-requests",
    "    this.#whenNewest(() => guard(answer, () => this.#read(route, input, answer)), answer, deadlineMs, nowMs);",
    "    void deadlineMs;\n    this.#read(route, input, answer);",
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
    "client-requests",
    "    if (!sent) {\n      this.#forwarding.remove(commandId);",
    '    this.#sendForwarded(\n      primary,\n      { type: "command", commandId, view },\n' +
      "      encodeForwardedRequest({ sessionId: NO_SESSION, method, path, body, ...caller }),\n      nowMs,\n    );\n" +
      "    if (!sent) {\n      this.#forwarding.remove(commandId);",
  ),
];
