/** The outputs of a replica, in the order in which they must be carried out (consensus spec §2). */
import type { Entry, Output } from "./interface.js";

type RoleOutput = Extract<Output, { type: "role" }>;

export class OutputQueue<E extends Entry> {
  #queue: Output<E>[] = [];
  /** Outputs before it are polled. They leave the array together, since shifting a long array one by one is slow. */
  #next = 0;
  /** The open run of appended entries: the last output, which may still grow. */
  #run: E[] | undefined;
  #announced: RoleOutput | undefined;

  /** A new input begins: the `wait` of the last one, if nobody polled it yet, no longer ends anything. */
  resume(): void {
    if (this.#queue.at(-1)?.type === "wait") this.#queue.pop();
  }

  push(output: Output<E>): void {
    this.#run = undefined;
    this.#queue.push(output);
  }

  /** Entries that are appended one after the other come out as one `append`. */
  append(entry: E): void {
    if (this.#run !== undefined) {
      this.#run.push(entry);
      return;
    }
    const run = [entry];
    this.push({ type: "append", entries: run });
    this.#run = run;
  }

  /** Reports a role, unless it is what was reported last. */
  announce(role: RoleOutput): void {
    const last = this.#announced;
    if (last?.role === role.role && last.view === role.view && last.primary === role.primary) return;
    this.#announced = role;
    this.push(role);
  }

  poll(): Output<E> | undefined {
    const output = this.#queue[this.#next];
    if (output === undefined) return undefined;
    this.#next += 1;
    if (this.#next === this.#queue.length) {
      this.#queue = [];
      this.#next = 0;
    }
    return output;
  }
}
