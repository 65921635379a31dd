/** The work that both sides of a connection do, the same for every contestant. */
import { type Handlers, type Link, PREFIX_BYTES } from "../contestants/contestant.js";
import { makeItems } from "../contestants/items.js";
import type { RoundTrips, StreamShape } from "./protocol.js";

/** A sink credits this much at a time. */
const CREDIT_BYTES = 1024 * 1024;
/** A source sends so much ahead of its credits: enough that neither end waits for the other, less than any buffer bound. */
const WINDOW_BYTES = 4 * CREDIT_BYTES;

/** A stream in whole batches. */
interface Plan {
  readonly itemsPerBatch: number;
  readonly batchBytes: number;
  readonly batches: number;
  readonly credits: number;
}

export function planOf({ itemBytes, batchBytes, totalBytes }: StreamShape): Plan {
  const itemsPerBatch = Math.max(1, Math.floor(batchBytes / (PREFIX_BYTES + itemBytes)));
  const exactBytes = itemsPerBatch * (PREFIX_BYTES + itemBytes);
  const batches = Math.ceil(totalBytes / exactBytes);
  return { itemsPerBatch, batchBytes: exactBytes, batches, credits: Math.ceil((batches * exactBytes) / CREDIT_BYTES) };
}

/** Takes in a stream: walks over every item, credits, and says when it was all. */
export class Sink {
  readonly #link: () => Link | undefined;
  #expectedBytes = 0;
  #takenBytes = 0;
  #creditedBytes = 0;

  constructor(link: () => Link | undefined) {
    this.#link = link;
  }

  expect(shape: StreamShape): void {
    const { batches, batchBytes } = planOf(shape);
    this.#expectedBytes = batches * batchBytes;
    this.#takenBytes = 0;
    this.#creditedBytes = 0;
  }

  take(length: number): void {
    this.#takenBytes += PREFIX_BYTES + length;
    const due = this.#takenBytes - this.#creditedBytes;
    if (due < CREDIT_BYTES && this.#takenBytes < this.#expectedBytes) return;
    this.#creditedBytes += CREDIT_BYTES;
    this.#link()?.sendCredit();
  }
}

/** What a source sends, over and over: several windows of it, so that it comes from memory as a ledger's entries do, not from a cache. */
interface Supply {
  readonly units: readonly Uint8Array[];
  readonly unitBytes: number;
}

function supplyOf(shape: StreamShape): Supply {
  const { itemsPerBatch, batchBytes } = planOf(shape);
  const slab = makeItems(itemsPerBatch * Math.ceil((2 * WINDOW_BYTES) / batchBytes), shape.itemBytes);
  const unitBytes = shape.submit === "batch" ? batchBytes : PREFIX_BYTES + shape.itemBytes;
  const units = Array.from({ length: slab.length / unitBytes }, (_, unit) =>
    slab.subarray(unit * unitBytes, (unit + 1) * unitBytes),
  );
  return { units, unitBytes };
}

/** Sends a stream to one sink. */
export class Source {
  #pump = (): void => undefined;
  #credits = 0;
  #supply: Supply | undefined;

  /** Makes what is to be sent, outside of what is measured. */
  prepare(shape: StreamShape): void {
    this.#supply = supplyOf(shape);
  }

  handleCredit(): void {
    this.#credits++;
    this.#pump();
  }

  /** Settles when the sink has credited all of it. */
  send(link: Link, shape: StreamShape): Promise<void> {
    const { batchBytes, batches, credits } = planOf(shape);
    const { units, unitBytes } = this.#supply ?? supplyOf(shape);
    const totalBytes = batches * batchBytes;
    let sentBytes = 0;
    this.#credits = 0;
    return new Promise((resolve) => {
      this.#pump = () => {
        const untilBytes = Math.min(totalBytes, WINDOW_BYTES + this.#credits * CREDIT_BYTES);
        for (; sentBytes < untilBytes; sentBytes += unitBytes) {
          const unit = units[(sentBytes / unitBytes) % units.length];
          if (unit === undefined) throw new RangeError("units lie within the slab");
          if (shape.submit === "batch") link.sendBatch(unit);
          else link.submit(unit);
        }
        if (this.#credits >= credits) resolve();
      };
      this.#pump();
    });
  }
}

/** Small items that leave together when the turn ends, or one by one. */
export class Outbox {
  readonly #link: Link;
  readonly #flush: RoundTrips["flush"];
  #items: Uint8Array[] = [];

  constructor(link: Link, flush: RoundTrips["flush"]) {
    this.#link = link;
    this.#flush = flush;
  }

  put(item: Uint8Array): void {
    if (this.#flush === "request") {
      this.#link.sendPrivate(item);
      return;
    }
    if (this.#items.length === 0) setImmediate(() => this.#send());
    this.#items.push(item);
  }

  #send(): void {
    const items = this.#items;
    this.#items = [];
    const bytes = new Uint8Array(items.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const item of items) {
      bytes.set(item, at);
      at += item.length;
    }
    this.#link.sendPrivate(bytes);
  }
}

/** Keeps requests in flight until all are answered. */
export class Caller {
  #left = 0;
  #missing = 0;
  #outbox: Outbox | undefined;
  #resolve = (): void => undefined;

  run(link: Link, { count, inFlight, itemBytes, flush }: RoundTrips): Promise<void> {
    this.#left = count - inFlight;
    this.#missing = count;
    const outbox = new Outbox(link, flush);
    this.#outbox = outbox;
    const done = new Promise<void>((resolve) => {
      this.#resolve = resolve;
    });
    for (let started = 0; started < inFlight; started++) outbox.put(makeItems(1, itemBytes));
    return done;
  }

  handleAnswer(length: number): void {
    if (--this.#missing === 0) this.#resolve();
    if (this.#left === 0) return;
    this.#left--;
    this.#outbox?.put(makeItems(1, length));
  }
}

/** Sends back what comes. */
export function echoHandlers(outbox: () => Outbox | undefined): Handlers["onItem"] {
  return (bytes, at, length) => outbox()?.put(bytes.slice(at - PREFIX_BYTES, at + length));
}
