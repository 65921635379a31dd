/** Links over any socket of Node's that carries a stream of bytes, and small helpers of their servers. */
import type { Server } from "node:net";
import type { Duplex } from "node:stream";
import { CREDIT, type Link } from "./contestant.js";
import { Coalescer } from "./items.js";

/** The best form: one write per batch, by reference; single items collected until the turn ends. */
export function streamLink(socket: Duplex): Link {
  const coalescer = new Coalescer((batch) => void socket.write(batch));
  return {
    sendBatch: (batch) => void socket.write(batch),
    submit: (item) => coalescer.add(item),
    sendPrivate: (items) => void socket.write(items),
    sendCredit: () => void socket.write(CREDIT),
  };
}

export function portOf(server: Server): number {
  const address = server.address();
  return address !== null && typeof address === "object" ? address.port : 0;
}

export function listening(server: Server, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, () => resolve());
  });
}

/** The first `count` values that are put in. */
export class Gathering<T> {
  readonly #values: T[] = [];
  #waiting: { readonly count: number; readonly resolve: (values: readonly T[]) => void } | undefined;

  put(value: T): void {
    this.#values.push(value);
    if (this.#waiting !== undefined && this.#values.length >= this.#waiting.count) this.#waiting.resolve(this.#values);
  }

  first(count: number): Promise<readonly T[]> {
    return new Promise((resolve) => {
      this.#waiting = { count, resolve };
      if (this.#values.length >= count) resolve(this.#values);
    });
  }
}
