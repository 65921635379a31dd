/**
 * Judges from the outside, when all nodes have stopped, whether anything was lost, doubled, changed or shown to an eavesdropper: from the
 * directories of the nodes, what clients were answered, and what passed between the nodes.
 */
import { join } from "node:path";
import { nativeSuite } from "@sealane/crypto/native";
import { LedgerSecrets, verifyLedger } from "@sealane/ledger";
import { ledgerDirectory } from "@sealane/ledger/files";
import { seqno } from "@sealane/wire";
import type { Acknowledged } from "./append.js";
import type { Capture } from "./capture.js";
import { checkCapture } from "./capture-check.js";
import { checkExactlyOnce } from "./exactly-once.js";
import { firstDifference, type LedgerBytes, readLedgerBytes } from "./ledger-bytes.js";
import { type Line, tokenOf } from "./lines.js";
import { checkReceipts } from "./receipts-check.js";
import { type Account, type Details, requireNone, StepFailure } from "./report.js";
import { readSecrets } from "./secrets.js";
import type { Cluster } from "./supervisor.js";

/** What was done, as its clients saw it. */
export interface Run {
  /** The last seqno that all nodes had committed. */
  readonly committed: number;
  readonly acknowledged: readonly Acknowledged[];
  readonly lines: readonly Line[];
}

/** Each check is a step of the script, in this order. @throws {StepFailure} what it found. */
export class Judge {
  readonly #cluster: Cluster;
  readonly #capture: Capture;
  readonly #account: Account;
  readonly #run: Run;
  #ledgers: readonly LedgerBytes[] = [];

  constructor(cluster: Cluster, capture: Capture, account: Account, run: Run) {
    this.#cluster = cluster;
    this.#capture = capture;
    this.#account = account;
    this.#run = run;
  }

  async verify(): Promise<Details> {
    const serviceCertificate = this.#cluster.serviceCertificate ?? "";
    const results: Details[] = [];
    for (let index = 0; index < this.#cluster.size; index++) {
      const secrets = new LedgerSecrets(await readSecrets(this.#cluster.dataDir(index)));
      const result = await verifyLedger(ledgerDirectory(this.#ledgerDir(index)), {
        suite: nativeSuite,
        secrets,
        serviceCertificate,
      });
      if (!result.ok)
        throw new StepFailure(`The ledger of node ${index} does not verify: ${result.message}`, {
          at: result.at,
          code: result.code,
        });
      const signed = result.lastSigned?.seqno ?? 0;
      if (signed < this.#run.committed) {
        throw new StepFailure(
          `The ledger of node ${index} is signed up to ${signed}, but ${this.#run.committed} is committed.`,
        );
      }
      results.push({ node: index, entries: result.entries, signatures: result.signatures, unsigned: result.unsigned });
    }
    return { results };
  }

  async compare(): Promise<Details> {
    this.#ledgers = await Promise.all(
      Array.from({ length: this.#cluster.size }, (_, index) => readLedgerBytes(this.#ledgerDir(index))),
    );
    const [first, ...others] = this.#ledgers;
    if (first === undefined) throw new StepFailure("There is no ledger.");
    for (const [at, other] of others.entries()) {
      const difference = firstDifference(first, other, this.#run.committed);
      if (difference !== undefined)
        throw new StepFailure(`The ledgers of node 0 and node ${at + 1} differ at ${difference}.`);
    }
    return { entries: this.#run.committed };
  }

  async findOnce(): Promise<Details> {
    const secrets = await readSecrets(this.#cluster.dataDir(0));
    const [ledger] = this.#ledgers;
    if (ledger === undefined) throw new StepFailure("There is no ledger.");
    const { records, signatures, problems } = checkExactlyOnce(
      ledger,
      this.#run.committed,
      secrets,
      this.#run.acknowledged,
    );
    this.#account.count("records", records);
    this.#account.count("signatures", signatures);
    requireNone(problems, { records });
    return { records, signatures };
  }

  async prove(): Promise<Details> {
    const { problems, receipts } = await checkReceipts(
      this.#ledgerDir(1),
      seqno(this.#run.committed),
      await readSecrets(this.#cluster.dataDir(1)),
      this.#cluster.serviceCertificate ?? "",
      this.#run.acknowledged,
    );
    this.#account.count("receipts", receipts);
    requireNone(problems, { receipts });
    return { receipts };
  }

  async eavesdrop(): Promise<Details> {
    const [ledger] = this.#ledgers;
    const secretTexts = this.#run.lines.flatMap((line) => [tokenOf(line), line.key]);
    const { problems, ...findings } = checkCapture(this.#capture, (seqno) => ledger?.entry(seqno), secretTexts);
    this.#account.count("capturedBytes", findings.bytes);
    requireNone(problems, findings);
    return { ...findings, searchedTexts: secretTexts.length };
  }

  #ledgerDir(index: number): string {
    return join(this.#cluster.dataDir(index), "ledger");
  }
}
