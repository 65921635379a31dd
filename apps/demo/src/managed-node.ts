/** One node's process as the supervisor holds it: start, stop, kill, and what it reported last. */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { NodeState } from "@sealane/wire";
import { DemoError } from "./errors.js";
import type { ProcessState } from "./feed.js";
import type { FromNode, NodeSettings, ObservedEvent, ToNode } from "./node-messages.js";

/** The built script, also when this file runs from its source in a test. */
const SCRIPT = fileURLToPath(new URL("../dist/node-process.js", import.meta.url));
/** Above the process's own patience, so that it normally ends by itself. */
const STOP_TIMEOUT_MS = 10_000;
const ERROR_TEXT_MAX = 4_096;

export interface NodeListener {
  /** Process state, node state or fault changed. */
  changed(): void;
  observed(events: readonly ObservedEvent[], dropped: number): void;
}

export class ManagedNode {
  readonly index: number;
  readonly #listener: NodeListener;
  #child: ChildProcess | undefined;
  #process: ProcessState = "down";
  #nodeId: string | undefined;
  #state: NodeState | undefined;
  #fault: string | undefined;
  #exited: Promise<void> = Promise.resolve();

  constructor(index: number, listener: NodeListener) {
    this.index = index;
    this.#listener = listener;
  }

  get process(): ProcessState {
    return this.#process;
  }
  get pid(): number | undefined {
    return this.#child?.pid;
  }
  /** Known from the first start on, also while the process is down. */
  get nodeId(): string | undefined {
    return this.#nodeId;
  }
  /** What the node reported last; undefined while it is down. */
  get state(): NodeState | undefined {
    return this.#state;
  }
  get fault(): string | undefined {
    return this.#fault;
  }

  /**
   * Starts the process and waits until its node runs (which may still be pending: not yet trusted).
   * @throws {DemoError} with the node's own sentence when it does not start.
   */
  async start(settings: NodeSettings): Promise<void> {
    if (this.#child !== undefined) throw new DemoError(`node ${this.index} is running already`);
    if (!existsSync(SCRIPT)) throw new DemoError("the demo is not built yet: run pnpm build first");
    const child = fork(SCRIPT, [], { stdio: ["ignore", "ignore", "pipe", "ipc"], execArgv: [] });
    this.#child = child;
    this.#process = "starting";
    this.#fault = undefined;
    let errorText = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      errorText = (errorText + text).slice(-ERROR_TEXT_MAX);
    });
    const started = new Promise<void>((resolve, reject) => {
      let failure: string | undefined;
      child.on("message", (message: FromNode) => {
        // Proven by node-process.ts: the only sender on this channel, compiled with the same types.
        if (message.type === "ready") child.send({ type: "start", settings } satisfies ToNode);
        else if (message.type === "failed") failure = message.message;
        else if (message.type === "started") {
          this.#nodeId = message.nodeId;
          this.#process = "up";
          resolve();
        } else {
          if (message.state !== null) this.#state = message.state;
          this.#listener.observed(message.events, message.dropped);
        }
        this.#listener.changed();
      });
      this.#exited = new Promise((exited) => {
        child.once("error", (error) => reject(new DemoError(`node ${this.index} cannot be started: ${error.message}`)));
        child.once("exit", (code, signal) => {
          const asked = this.#process === "stopping";
          const why = failure ?? lastLine(errorText) ?? (signal === null ? `exit code ${code}` : `killed by ${signal}`);
          this.#child = undefined;
          this.#state = undefined;
          this.#process = "down";
          if (!asked && signal === null) this.#fault = why;
          reject(new DemoError(`node ${this.index} did not start: ${why}`));
          this.#listener.changed();
          exited();
        });
      });
    });
    this.#listener.changed();
    await started;
  }

  /** Asks the node to end and waits; after 10 s it is killed. Does nothing when it is down. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#process = "stopping";
    this.#listener.changed();
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  /** SIGKILL, as a power cut would. Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#exited;
  }

  /** For the last moment of this process, when nothing can be awaited any more. */
  killNow(): void {
    this.#child?.kill("SIGKILL");
  }
}

function lastLine(text: string): string | undefined {
  return text.trim().split("\n").at(-1) || undefined;
}
