/**
 * The process as the commands see it: streams, terminals, signals. Commands get it as an argument, so tests can watch them without a
 * process. Nothing else here touches `process`, apart from `main.ts`.
 */
export type StopSignal = "SIGINT" | "SIGTERM";

export interface Io {
  /** Raw bytes; may be read once. */
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /**
   * Writes one line to stdout and waits while its reader is slow.
   * @returns false once nobody reads any more, as in `sealane ledger show | head`: there is no point in going on for the output's sake.
   */
  printLine(text: string): Promise<boolean>;
  /** Writes one line to stderr. */
  warnLine(text: string): void;
  /** Calls back at each SIGINT or SIGTERM, instead of ending the process, until the returned function is called. */
  onStopSignal(listener: (signal: StopSignal) => void): () => void;
  /** Ends the process at once. */
  exit(code: number): never;
}

/** The real one. */
export function processIo(): Io {
  const { stdin, stdout, stderr } = process;
  let stdoutOpen = true;
  // A pipe that its reader closed is no error of ours: writes stop, the work may go on.
  stdout.on("error", () => {
    stdoutOpen = false;
  });
  stderr.on("error", () => {});
  return {
    stdin,
    stdoutIsTerminal: stdout.isTTY === true,
    stderrIsTerminal: stderr.isTTY === true,
    async printLine(text) {
      if (!stdoutOpen) return false;
      if (stdout.write(`${text}\n`)) return true;
      await new Promise<void>((resolve) => {
        // A stream that breaks while we wait drains no more, but it does close.
        const done = (): void => {
          stdout.off("drain", done).off("close", done);
          resolve();
        };
        stdout.on("drain", done).on("close", done);
      });
      return stdoutOpen;
    },
    warnLine(text) {
      stderr.write(`${text}\n`);
    },
    onStopSignal(listener) {
      process.on("SIGINT", listener);
      process.on("SIGTERM", listener);
      return () => {
        process.off("SIGINT", listener);
        process.off("SIGTERM", listener);
      };
    },
    exit: (code) => process.exit(code),
  };
}

/** What a shell reports of a process that a signal ended: 128 and the signal's number. */
export function signalExitCode(signal: StopSignal): number {
  return signal === "SIGINT" ? 130 : 143;
}
