/**
 * What the core alone costs: entries through three replicas in one process, with nothing but the core and an array for a ledger. There is no
 * encoding, no encryption, no disk and no network in these figures; the ones of a node are in the repository's `bench/`.
 */
import process from "node:process";
import { Replica } from "@sealane/consensus";
import { seqno } from "@sealane/wire";

const BATCH = 1_000; // entries, the last one a signature
const ENTRY_BYTES = 256;
const WARM_UP = 2_000_000;
/** Entries in one measurement, at most as many as the log has. Of many, the best and the median are stated: the machine may be shared. */
const WINDOW = 20_000;
const RUNS = 101;
const LENGTHS = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/** Three replicas that hand each other their messages at once. Entries are forgotten once all three have committed them. */
class Trio {
  /** @param {"ephemeral" | "durable"} durability - `durable`: whatever is asked to be persisted is, at once. */
  constructor(durability) {
    this.ids = ["a", "b", "c"];
    const replica = (id) => new Replica({ id, durability, random: (max) => max, eagerSend: true, uncommittedMax: 0 });
    this.replicas = new Map(this.ids.map((id) => [id, replica(id)]));
    this.primary = this.replicas.get("a");
    this.entries = [];
    this.base = 0;
    this.nowMs = 0;
    this.queue = [];
    this.handle("a", { type: "start" });
    this.write([{ configuration: this.ids, signature: false }, { signature: true }]);
    for (let round = 0; round < 4; round++) this.tick();
  }

  get lastSeqno() {
    return this.base + this.entries.length;
  }

  handle(id, input) {
    const replica = this.replicas.get(id);
    replica.handle(input, this.nowMs);
    for (let output = replica.pollOutput(); output !== undefined; output = replica.pollOutput()) {
      if (output.type === "send") this.queue.push([id, output.to, output.message]);
      if (output.type === "persist") this.queue.push([id, id, { type: "persisted", token: output.token }]);
    }
  }

  deliver() {
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      const [from, to, message] = next;
      if (message.type === "persisted") {
        this.handle(to, message);
        continue;
      }
      const append = message.type === "append-entries";
      const entries = append ? this.entries.slice(message.prevSeqno - this.base, message.seqno - this.base) : [];
      this.handle(to, { type: "message", from, message, entries });
    }
  }

  tick() {
    this.nowMs += 100;
    this.handle("a", { type: "tick" });
    this.deliver();
  }

  /** Hands entries to the primary without sending them. */
  replicate(parts) {
    const { view } = this.primary;
    const first = this.lastSeqno + 1;
    const entries = parts.map((part, index) => ({ bytes: ENTRY_BYTES, view, seqno: seqno(first + index), ...part }));
    for (const entry of entries) this.entries.push(entry);
    this.handle("a", { type: "replicate", view, entries });
  }

  write(parts) {
    this.replicate(parts);
    this.handle("a", { type: "flush" });
    this.deliver();
  }

  /** Writes batches until the log has `length` entries, and all of them are committed on the primary. */
  grow(length) {
    const batch = Array.from({ length: BATCH }, (_, index) => ({ signature: index === BATCH - 1 }));
    while (this.lastSeqno < length) {
      this.write(batch);
      if (this.primary.commitSeqno !== this.lastSeqno) throw new Error("a batch is committed in one round trip");
      // A backup commits with the next message, so one batch must stay.
      const keep = Math.min(this.entries.length, BATCH);
      this.base += this.entries.length - keep;
      this.entries = this.entries.slice(this.entries.length - keep);
      this.nowMs += 1;
    }
  }
}

const say = (line) => void process.stdout.write(`${line}\n`);

function throughput(durability) {
  for (let length = BATCH; length <= WARM_UP; length *= 2) new Trio(durability).grow(length);
  for (const length of LENGTHS) {
    const window = Math.min(length, WINDOW);
    const perEntry = [];
    let trio = new Trio(durability);
    trio.grow(length);
    for (let run = 0; run < RUNS; run++) {
      const from = trio.lastSeqno;
      const started = process.hrtime.bigint();
      trio.grow(from + window);
      perEntry.push(Number(process.hrtime.bigint() - started) / (trio.lastSeqno - from));
      if (length > window) continue; // so much longer that it stays about as long as it is said to be
      trio = new Trio(durability);
      trio.grow(length);
    }
    perEntry.sort((a, b) => a - b);
    const [best = 0, median = 0] = [perEntry[0], perEntry[RUNS >> 1]];
    const ns = `${Math.round(best)} ns an entry at best, ${Math.round(median)} as a rule`;
    say(`${durability}, log of ${length.toLocaleString("en")}: ${ns}, ${(1e3 / median).toFixed(1)} million entries/s`);
  }
}

/** Nobody answers the primary, so nothing is committed and everything it needs for it stays. */
function memory(count) {
  const trio = new Trio("durable");
  trio.handle = function (id, input) {
    const replica = this.replicas.get(id);
    replica.handle(input, this.nowMs);
    while (replica.pollOutput() !== undefined);
  };
  const batch = Array.from({ length: BATCH }, (_, index) => ({ signature: index === BATCH - 1 }));
  global.gc();
  const before = process.memoryUsage().heapUsed;
  for (let done = 0; done < count; done += BATCH) {
    trio.replicate(batch);
    trio.base += trio.entries.length;
    trio.entries = [];
  }
  global.gc();
  return (process.memoryUsage().heapUsed - before) / count;
}

throughput("ephemeral");
throughput("durable");
say(`memory of the primary: ${memory(1_000_000).toFixed(1)} bytes an uncommitted entry`);
