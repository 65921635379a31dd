/** Asks any node, time and again, what became of transactions that clients have heard of. */
import { fromUtf8, type NodeId, parseTxId, parseTxStatusResponse } from "@sealane/wire";
import type { StatusAnswer } from "../history/transactions.js";
import type { SeededRandom } from "../random.js";
import type { Service } from "../workload/client.js";

/** The newest ones are asked for; older ones have long been decided. */
const REMEMBERED_MAX = 32;
const OK = 200;

export class StatusProbe {
  readonly answers: StatusAnswer[] = [];
  readonly #service: Service;
  readonly #random: SeededRandom;
  readonly #lifeOf: (node: NodeId) => number;
  readonly #known: string[] = [];

  constructor(service: Service, random: SeededRandom, everyMs: number, lifeOf: (node: NodeId) => number) {
    this.#service = service;
    this.#random = random;
    this.#lifeOf = lifeOf;
    const ask = (): void => {
      this.#ask();
      service.at(service.nowMs + 1 + random.upTo(2 * everyMs), ask);
    };
    ask();
  }

  /** @param txId - as answers name it. */
  add(txId: string): void {
    if (this.#known.includes(txId)) return;
    this.#known.push(txId);
    if (this.#known.length > REMEMBERED_MAX) this.#known.shift();
  }

  #ask(): void {
    const { nodes, nowMs } = this.#service;
    if (this.#known.length === 0 || nodes.length === 0) return;
    const txId = this.#random.pick(this.#known);
    const node = this.#random.pick(nodes);
    const life = this.#lifeOf(node.id);
    node.request({ method: "GET", path: `/tx/${txId}` }, nowMs, ({ status, body }) => {
      if (status !== OK) return;
      const answer = parseTxStatusResponse(JSON.parse(fromUtf8(body)));
      this.answers.push({
        node: node.id,
        life,
        txId: parseTxId(txId),
        status: answer.status,
        atMs: this.#service.nowMs,
      });
    });
  }
}
