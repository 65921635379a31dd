import type { SnapshotName } from "@sealane/ledger";
import { expect, it } from "vitest";
import { type FileAnswer, SENDING_MAX, SnapshotEndpoint } from "./snapshot-endpoint.js";

const NAME = "snapshot_20_22.committed";

async function* bytes(): AsyncGenerator<Uint8Array, void, undefined> {
  yield new Uint8Array(10);
}

/** With one snapshot, of 10 bytes, at 20. @param serviceSince - From where on the service has its identity. */
function endpoint(serviceSince: number): SnapshotEndpoint {
  const name: SnapshotName = { name: NAME, seqno: 20, evidenceSeqno: 22, committed: true };
  const store = {
    newestName: () => Promise.resolve(name),
    size: (asked: string) => Promise.resolve(asked === NAME ? 10 : undefined),
    pieces: bytes,
  };
  return new SnapshotEndpoint(store, () => serviceSince);
}

const ask = (since: number, path: string, range?: string) =>
  endpoint(since).handle({ method: "GET", path, ...(range === undefined ? {} : { range }) });

it("announces a snapshot of the present service alone", async () => {
  for (const since of [1, 20]) {
    expect(await ask(since, "/node/snapshot")).toMatchObject({ status: 308, location: `/node/snapshot/${NAME}` });
  }
  await expect(ask(21, "/node/snapshot")).rejects.toMatchObject({ code: "not-found" });
});

it("sends so many at a time, and another one when one is done", async () => {
  const one = endpoint(1);
  const request = { method: "GET", path: `/node/snapshot/${NAME}` };
  const sending: FileAnswer[] = [];
  for (let index = 0; index < SENDING_MAX; index++) {
    const answer = await one.handle(request);
    if ("pieces" in answer) sending.push(answer);
  }
  expect(sending).toHaveLength(SENDING_MAX);
  await expect(one.handle(request)).rejects.toMatchObject({ code: "overloaded" });
  sending[0]?.done();
  expect(await one.handle(request)).toMatchObject({ status: 200, bytes: 10 });
});

it("gives a slow client time by the length of what it takes", async () => {
  const [part, whole] = [await ask(1, `/node/snapshot/${NAME}`, "bytes=0-1"), await ask(1, `/node/snapshot/${NAME}`)];
  if (!("pieces" in part && "pieces" in whole)) throw new Error("both are files");
  expect(Number.isInteger(part.timeoutMs) && part.timeoutMs <= whole.timeoutMs).toBe(true);
});
