import { expect, test } from "vitest";
import { appendInOrder, type KeyedRecord, type Outcome, type Pipeline } from "./pipeline.js";

function record(line: number): KeyedRecord {
  return { line, key: `k-${line}`, value: line };
}

async function* records(count: number): AsyncGenerator<KeyedRecord, void, undefined> {
  for (let line = 1; line <= count; line += 1) yield record(line);
}

/** Lets everything run that can run without a new event. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** A service whose writes are answered when the test says so. */
class Service {
  readonly sent: number[] = [];
  readonly emitted: string[] = [];
  readonly #open = new Map<number, { resolve: (txId: string) => void; reject: (error: unknown) => void }>();

  append(source: AsyncIterable<KeyedRecord>, options: Partial<Pipeline> = {}): Promise<Outcome> {
    return appendInOrder(source, {
      inFlightMax: 4,
      put: ({ line }) =>
        new Promise((resolve, reject) => {
          this.sent.push(line);
          this.#open.set(line, { resolve, reject });
        }),
      emit: async ({ key }, txId) => {
        this.emitted.push(`${txId} ${key}`);
      },
      ...options,
    });
  }

  async commit(...lines: number[]): Promise<void> {
    for (const line of lines) this.#open.get(line)?.resolve(`2.${line}`);
    await settle();
  }

  async fail(line: number, error: unknown): Promise<void> {
    this.#open.get(line)?.reject(error);
    await settle();
  }
}

test("answers come out in the order of the lines, in whichever order they come in", async () => {
  const service = new Service();
  const done = service.append(records(4));
  await settle();
  await service.commit(3, 4);
  expect(service.emitted).toEqual([]);
  await service.commit(1);
  expect(service.emitted).toEqual(["2.1 k-1"]);
  await service.commit(2);
  expect(service.emitted).toEqual(["2.1 k-1", "2.2 k-2", "2.3 k-3", "2.4 k-4"]);
  expect(await done).toEqual({ committed: 4 });
});

test("an answer comes out at once while the input is idle", async () => {
  const service = new Service();
  async function* idle(): AsyncGenerator<KeyedRecord, void, undefined> {
    yield record(1);
    await new Promise(() => {});
  }
  void service.append(idle());
  await settle();
  await service.commit(1);
  expect(service.emitted).toEqual(["2.1 k-1"]);
});

test("no more than the bound is under way, and a record keeps its place until its answer is out", async () => {
  const service = new Service();
  const done = service.append(records(10));
  await settle();
  expect(service.sent).toEqual([1, 2, 3, 4]);
  await service.commit(2, 3, 4); // committed, but they wait for the first
  expect(service.sent).toEqual([1, 2, 3, 4]);
  await service.commit(1);
  expect(service.sent).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  await service.commit(5, 6, 7, 8);
  await service.commit(9, 10);
  expect(await done).toEqual({ committed: 10 });
});

test("one at a time keeps the order of the lines in the ledger too", async () => {
  const service = new Service();
  const done = service.append(records(2), { inFlightMax: 1 });
  await settle();
  expect(service.sent).toEqual([1]);
  await service.commit(1);
  expect(service.sent).toEqual([1, 2]);
  await service.commit(2);
  expect(await done).toEqual({ committed: 2 });
});

test("after a failure nothing more is sent, and what is under way still counts", async () => {
  const service = new Service();
  const done = service.append(records(10));
  await settle();
  const error = new Error("no quorum");
  await service.fail(2, error);
  await service.commit(1, 3, 4);
  expect(service.sent).toEqual([1, 2, 3, 4]);
  expect(service.emitted).toEqual(["2.1 k-1", "2.3 k-3", "2.4 k-4"]);
  expect(await done).toEqual({ committed: 3, failed: { record: record(2), error } });
});

test("of several failures the one nearest to the start is told", async () => {
  const service = new Service();
  const done = service.append(records(10));
  await settle();
  await service.fail(3, "late");
  await service.fail(1, "first");
  await service.commit(2, 4);
  expect(await done).toMatchObject({ committed: 2, failed: { record: { line: 1 }, error: "first" } });
});

test("a failure ends the wait for an idle input", async () => {
  const service = new Service();
  async function* idle(): AsyncGenerator<KeyedRecord, void, undefined> {
    yield record(1);
    await new Promise(() => {});
  }
  const done = service.append(idle());
  await settle();
  await service.fail(1, "no quorum");
  expect(await done).toMatchObject({ committed: 0, failed: { error: "no quorum" } });
});

test("an input that breaks off: what came before is written, nothing after it is sent", async () => {
  const service = new Service();
  const error = new Error("line 3 is not JSON");
  async function* broken(): AsyncGenerator<KeyedRecord, void, undefined> {
    yield* records(2);
    throw error;
  }
  const done = service.append(broken());
  await settle();
  await service.commit(2, 1);
  expect(service.emitted).toEqual(["2.1 k-1", "2.2 k-2"]);
  expect(await done).toEqual({ committed: 2, inputError: error });
});

test("a signal ends the reading", async () => {
  const service = new Service();
  const controller = new AbortController();
  async function* idle(): AsyncGenerator<KeyedRecord, void, undefined> {
    yield record(1);
    await new Promise(() => {});
  }
  const done = service.append(idle(), { signal: controller.signal });
  await settle();
  controller.abort();
  await service.commit(1);
  expect(await done).toEqual({ committed: 1 });
  expect(await service.append(records(1), { signal: controller.signal })).toEqual({ committed: 0 });
});
