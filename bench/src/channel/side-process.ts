/** The conductor's hold on one side: a child process that answers one command at a time. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Answer, Command } from "./protocol.js";

/** No step of a run takes this long; a side that does is broken. */
const ANSWER_MS_MAX = 60_000;
const CLOSE_MS_MAX = 5_000;

export class SideProcess {
  readonly #child: ChildProcess;
  #settle: ((answer: Answer) => void) | undefined;

  /** @param execArgv - For Node, such as `--cpu-prof`. */
  constructor(execArgv: readonly string[] = []) {
    this.#child = fork(new URL("side.js", import.meta.url), { execArgv: [...execArgv] });
    this.#child.on("message", (answer: Answer) => this.#settle?.(answer));
    this.#child.on("exit", (code) => this.#settle?.({ error: `it exited with ${code}` }));
  }

  async ask(command: Command): Promise<number> {
    const answer = await new Promise<Answer>((resolve) => {
      const timer = setTimeout(() => this.#settle?.({ error: "it took too long" }), ANSWER_MS_MAX);
      this.#settle = (given) => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve(given);
      };
      this.#child.send(command);
    });
    if ("error" in answer) throw new Error(`a side failed to ${command.do}: ${answer.error}`);
    return answer.value;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.send({ do: "close" } satisfies Command);
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), CLOSE_MS_MAX);
    await exited;
    clearTimeout(timer);
  }
}
