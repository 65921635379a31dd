/**
 * What a scenario does, command by command, in words: roles, votes, what enters and leaves each log, commits, retirement. This is the
 * golden output that a file keeps behind a line of `====`, where the language ends. Append-entries and their acknowledgements are
 * left out; what they bring about is not.
 */
import type { Input, Output } from "@sealane/consensus";
import { type ConsensusMessage, ELECTION_PRE_VOTE } from "@sealane/wire";
import type { StoredEntry } from "../invariants/stored-entry.js";
import { type Command, commandText } from "./commands.js";
import type { ScenarioObserver } from "./run.js";
import type { Before, ScenarioNode } from "./world.js";

export class Transcript implements ScenarioObserver {
  readonly #lines: string[] = [];
  /** The present command, until something happens. */
  #command: string | undefined;

  get text(): string {
    return this.#lines.map((line) => `${line}\n`).join("");
  }

  command(command: Command): void {
    this.#command = command.line === 0 ? "(end)" : commandText(command);
  }

  printed(line: string): void {
    this.#write(line);
  }

  step(
    { id, replica, ledger }: ScenarioNode,
    input: Input<StoredEntry>,
    before: Before,
    outputs: readonly Output<StoredEntry>[],
  ): void {
    if (input.type === "start-ticking") return;
    if (input.type === "replicate" && replica.lastSeqno > before.lastSeqno) {
      this.#write(`${id} appends ${entriesText(ledger.slice(before.lastSeqno))}`);
    }
    for (const output of outputs) {
      const text = outputText(output, ledger);
      if (text !== undefined) this.#write(`${id} ${text}`);
    }
    const phase = replica.retirementPhase;
    if (phase !== before.retirementPhase) this.#write(`${id} is ${phase ?? "a member again"}`);
    const [was, is] = [before.configurations, replica.configurations].map(configurationsText);
    if (was !== is) this.#write(`${id} counts ${is}`);
  }

  dropped(): void {}

  #write(line: string): void {
    if (this.#command !== undefined) this.#lines.push(this.#command);
    this.#command = undefined;
    this.#lines.push(`  ${line}`);
  }
}

function outputText(output: Output<StoredEntry>, ledger: readonly StoredEntry[]): string | undefined {
  switch (output.type) {
    case "append":
      return `appends ${entriesText(output.entries)}`;
    case "rollback":
      return `rolls back to ${output.to}`;
    case "commit":
      return `commits ${ledger[output.seqno - 1]?.view}.${output.seqno}`;
    case "role":
      return `is ${output.role}${output.role === "backup" && output.primary ? ` of ${output.primary}` : ""} in ${output.view}`;
    case "cleanup-retired":
      return `asks to retire ${output.nodes.join()}`;
    case "read-ready":
      return `answers read ${output.token} at ${output.seqno}`;
    case "read-refused":
      return `refuses read ${output.token}: ${output.reason}`;
    case "transfer":
      return `ends the transfer to ${output.to}: ${output.outcome}`;
    case "send":
      return messageText(output.to, output.message);
    default:
      return undefined;
  }
}

function messageText(to: string, message: ConsensusMessage): string | undefined {
  switch (message.type) {
    case "request-vote-response": {
      const vote = message.election === ELECTION_PRE_VOTE ? "a pre-vote" : "a vote";
      return `${message.granted ? "grants" : "denies"} ${to} ${vote} in ${message.view}`;
    }
    case "append-entries-response":
      return message.success ? undefined : `refuses ${to}, holds ${message.view}.${message.lastSeqno}`;
    case "request-vote":
      return `asks ${to} for a vote with ${message.viewOfLastCommittableSeqno}.${message.lastCommittableSeqno}`;
    case "propose-request-vote":
      return `names ${to} its successor`;
    default:
      return undefined;
  }
}

/** `2.3 2.4s`: a signature has an `s`, a reconfiguration its nodes, a retirement the nodes that may go. */
function entriesText(entries: readonly StoredEntry[]): string {
  const texts = entries.map(({ view, seqno, signature, configuration, retired }) => {
    const set = configuration && `{${[...configuration].sort().join()}}`;
    return `${view}.${seqno}${signature ? "s" : ""}${set ?? ""}${retired ? `-{${retired.join()}}` : ""}`;
  });
  return texts.join(" ");
}

function configurationsText(configurations: Before["configurations"]): string {
  return configurations.map(({ seqno, nodes }) => `{${nodes.join()}}@${seqno}`).join(" ");
}

const END = /^====.*$/m;

/** The golden output in a scenario file; undefined when there is none. */
export function expectedTranscript(text: string): string | undefined {
  const end = END.exec(text);
  return end === null ? undefined : text.slice(end.index + end[0].length).replace(/^\r?\n/, "");
}

/** The scenario file with this golden output in place of what it had. */
export function withTranscript(text: string, transcript: string): string {
  const end = END.exec(text);
  const scenario = end === null ? text : text.slice(0, end.index);
  return `${scenario.trimEnd()}\n====\n${transcript}`;
}
