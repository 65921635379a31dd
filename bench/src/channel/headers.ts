/** One header: what sealing and opening it through a channel costs beyond the bare call of `node:crypto`. In this process, in turns. */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from "node:crypto";
import { Channel } from "@sealane/channel";
import { type CryptoSuite, nobleSuite } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { concatBytes, FRAME_CHANNEL, FRAME_CONSENSUS, fromBase64, NodeId } from "@sealane/wire";
import type { Identity } from "../contestants/identity.js";
import { startCpu } from "../measure/cpu.js";
import { type Section, verdict } from "../measure/report.js";
import { Rounds } from "../measure/rounds.js";
import { measuresOf } from "./streams.js";

/** Between the smallest header with a tag of the replication protocol and the largest. */
const HEADER_BYTES = [57, 89, 104];
/** Above what the bare call may cost. */
const GOAL = 1.3;
/** Few enough to stay in a cache, as the bare call's one record does. */
const RECORDS_AT_ONCE = 250;
/** The portable suite is an order slower. */
const NOBLE_SHARE = 0.1;

export interface HeaderEffort {
  readonly rounds: number;
  /** Headers in a row. */
  readonly count: number;
}

export async function benchHeaders(identities: readonly Identity[], effort: HeaderEffort): Promise<Section> {
  const parts = await Promise.all(HEADER_BYTES.map((bytes) => benchHeader(identities, bytes, effort)));
  return {
    title: "One header",
    measures: parts.flatMap(({ measures }) => measures),
    verdicts: parts.flatMap(({ verdicts }) => verdicts),
    remarks: [],
  };
}

async function benchHeader(
  identities: readonly Identity[],
  headerBytes: number,
  { rounds, count }: HeaderEffort,
): Promise<Pick<Section, "measures" | "verdicts">> {
  const header = randomBytes(headerBytes);
  const bare = bareCalls(header);
  const native = channelCalls(nativeSuite, identities, header);
  const noble = channelCalls(nobleSuite, identities, header);
  const names = ["sealane", "node:crypto", "sealane, noble suite"] as const;
  const run = (step: "seal" | "open") =>
    Rounds.run(names, rounds, async (name) => {
      if (name === "node:crypto") return bare[step](count);
      return name === "sealane" ? native[step](count) : noble[step](Math.ceil(count * NOBLE_SHARE));
    });
  const [sealed, opened] = [await run("seal"), await run("open")];
  const [sealing, opening] = [`seal a header of ${headerBytes} B`, `open a header of ${headerBytes} B`];
  return {
    measures: [...measuresOf(sealing, "CPU us", sealed), ...measuresOf(opening, "CPU us", opened)],
    verdicts: [
      verdict("seal", sealing, "node:crypto", sealed.ratio("sealane", "node:crypto"), GOAL),
      verdict("open", opening, "node:crypto", opened.ratio("sealane", "node:crypto"), GOAL),
    ],
  };
}

interface Calls {
  /** @returns CPU µs for each of `count`. */
  seal(count: number): number;
  open(count: number): number;
}

/** The fewest calls that seal: key, nonce, additional data, tag. */
function bareCalls(header: Uint8Array): Calls {
  const key = createSecretKey(randomBytes(32));
  const nonce = randomBytes(12);
  const options = { authTagLength: 16 };
  const sealOne = (): Uint8Array => {
    const cipher = createCipheriv("aes-256-gcm", key, nonce, options);
    cipher.setAAD(header);
    cipher.final();
    return cipher.getAuthTag();
  };
  const tag = sealOne();
  return {
    seal: (count) => timed(count, sealOne),
    open: (count) =>
      timed(count, () => {
        const decipher = createDecipheriv("aes-256-gcm", key, nonce, options);
        decipher.setAAD(header);
        decipher.setAuthTag(tag);
        decipher.final();
      }),
  };
}

function channelCalls(suite: CryptoSuite, identities: readonly Identity[], header: Uint8Array): Calls {
  const [alice, bob] = channelPair(suite, identities);
  const seal = (): Uint8Array => {
    const trailer = alice.seal(header, performance.now());
    alice.pollOutput();
    if (trailer === undefined) throw new Error("the channel is open");
    return trailer;
  };
  return {
    seal: (count) => timed(count, seal),
    open(count) {
      let spentUs = 0;
      for (let done = 0; done < count; done += RECORDS_AT_ONCE) {
        const records = Array.from({ length: RECORDS_AT_ONCE }, () => concatBytes(header, seal()));
        let at = 0;
        const perRecord = timed(RECORDS_AT_ONCE, () => {
          const record = records[at++];
          const opened = record && bob.open(FRAME_CONSENSUS, header.length, record, performance.now());
          bob.pollOutput();
          if (opened === undefined) throw new Error("the record is genuine");
        });
        spentUs += perRecord * RECORDS_AT_ONCE;
      }
      return spentUs / (Math.ceil(count / RECORDS_AT_ONCE) * RECORDS_AT_ONCE);
    },
  };
}

function timed(count: number, work: () => void): number {
  const spent = startCpu();
  for (let done = 0; done < count; done++) work();
  return spent() / count;
}

/** Two open channels, carried by hand. */
function channelPair(suite: CryptoSuite, [first, second]: readonly Identity[]): readonly [Channel, Channel] {
  if (first === undefined || second === undefined) throw new RangeError("two ends need two identities");
  const make = (own: Identity, other: Identity): Channel =>
    new Channel({
      suite,
      version: 2,
      self: {
        id: NodeId.parse(own.id),
        keyPair: suite.importPrivateKey(fromBase64(own.privateKeyDer)),
        certificate: fromBase64(own.certificateDer),
      },
      peer: NodeId.parse(other.id),
      trust: { serviceCertificate: fromBase64(own.serviceCertificateDer), trusted: (id) => id === other.id },
    });
  const [alice, bob] = [make(first, second), make(second, first)];
  alice.initiate(performance.now());
  while (carry(alice, bob) || carry(bob, alice));
  return [alice, bob];
}

function carry(from: Channel, to: Channel): boolean {
  let carried = false;
  for (let output = from.pollOutput(); output.type !== "wait" && output.type !== "idle"; output = from.pollOutput()) {
    if (output.type !== "transmit" || output.frameType !== FRAME_CHANNEL) continue;
    to.handleFrame(concatBytes(...output.parts), performance.now());
    carried = true;
  }
  return carried;
}
