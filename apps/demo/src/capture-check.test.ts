import { encodeConsensus, encodeFrameHeader, FRAME_CONSENSUS, NodeId, seqno, view } from "@sealane/wire";
import { describe, expect, test } from "vitest";
import { Capture, FrameSplitter } from "./capture.js";
import { checkCapture } from "./capture-check.js";

const ALICE = NodeId.parse("a".repeat(64));
const TOKENS = ["0123456789abcdef01234567"];

/** u8 version ‖ u8 flags ‖ u48 size ‖ tag ‖ IV ‖ … */
function entry(number: number, inView: number, body: string): Uint8Array {
  const bytes = Buffer.alloc(44 + body.length);
  bytes[0] = 1;
  bytes.writeUIntLE(36 + body.length, 2, 6);
  bytes.writeUIntLE(number, 24, 6);
  bytes.writeUInt32LE(inView, 32);
  bytes.write(body, 44, "latin1");
  return Uint8Array.from(bytes);
}

const LEDGER = new Map([1, 2, 3].map((n) => [n, entry(n, 2, `entry-${n}`)]));

function frame(entries: readonly Uint8Array[], last = entries.length): Uint8Array {
  const header = encodeConsensus(
    {
      type: "append-entries",
      seqno: seqno(last),
      prevSeqno: seqno(0),
      view: view(2),
      prevView: view(0),
      commitSeqno: seqno(0),
      viewOfSeqno: view(2),
    },
    new Uint8Array(32),
  );
  const payload = Buffer.concat([header, new Uint8Array(28), ...entries]);
  return Uint8Array.from(Buffer.concat([encodeFrameHeader(FRAME_CONSENSUS, ALICE, payload.length), payload]));
}

function captured(...chunks: Uint8Array[]): Capture {
  const capture = new Capture(1_000_000);
  const record = capture.stream({ dialler: ALICE, listener: 1, direction: "to-listener" });
  for (const chunk of chunks) record(chunk);
  return capture;
}

const check = (capture: Capture) => checkCapture(capture, (n) => LEDGER.get(n), TOKENS);

describe("the judge of a capture", () => {
  test("passes readable headers with the ledger's own entries, the last frame cut short", () => {
    const good = frame([...LEDGER.values()]);
    expect(check(captured(good, good.subarray(0, 100)))).toMatchObject({
      batches: 1,
      entries: 3,
      entriesAsInLedger: 3,
      problems: [],
    });
  });

  test.each([
    ["TLS", Uint8Array.of(0x16, 0x03, 0x01, 0, 5, 1, 2, 3, 4, 5), "starts like TLS"],
    ["a record in plain text", frame([entry(1, 2, `x${TOKENS[0]}`)]), "in plain text"],
    ["another entry than the ledger's", frame([entry(1, 2, "entry-!")]), "is not the one in the ledger file"],
    ["bytes that are no frame", frame([...LEDGER.values()]).map((byte, i) => (i === 4 ? 9 : byte)), "no frame"],
    ["fewer entries than the header names", frame([entry(1, 2, "entry-1")], 2), "but they end at 1"],
    ["nothing", new Uint8Array(0), "No consensus header"],
  ])("objects to %s", (_, bytes, problem) => {
    expect(check(captured(bytes)).problems.join("\n")).toContain(problem);
  });

  test("counts an entry of an older view as replaced", () => {
    expect(check(captured(frame([entry(1, 1, "old"), entry(2, 2, "entry-2")])))).toMatchObject({
      entriesReplaced: 1,
      entriesAsInLedger: 1,
      problems: [],
    });
  });

  test("objects to a capture that met its bound", () => {
    const capture = new Capture(10);
    capture.stream({ dialler: ALICE, listener: 1, direction: "to-listener" })(new Uint8Array(11));
    expect(check(capture).problems[0]).toContain("proves nothing");
  });
});

test("the splitter gives whole frames for any split, and everything once a size is absurd", () => {
  const bytes = Buffer.concat([frame([...LEDGER.values()]), frame([])]);
  for (const step of [1, 3, 90, 1_000]) {
    const splitter = new FrameSplitter(10_000);
    const frames: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += step)
      frames.push(...splitter.push(bytes.subarray(at, at + step)).map((f) => f.slice()));
    expect(frames).toHaveLength(2);
    expect(Buffer.concat(frames).equals(bytes)).toBe(true);
  }
  const splitter = new FrameSplitter(100);
  expect(splitter.push(Buffer.from("ffffffff", "hex"))).toHaveLength(1);
  expect(splitter.lost).toBe(true);
  expect(splitter.push(Buffer.from("00", "hex"))).toHaveLength(1);
});
