/** How far `append` has come, drawn on stderr while a person watches. */
import { SingleBar } from "cli-progress";
import type { Io } from "../io.js";

export interface Progress {
  /** Call before a line goes to a stdout that is the same terminal. */
  clear(): void;
  advance(line: number): void;
  stop(): void;
}

/** @param linesTotal - Undefined for a stream, which shows a count only. */
export function progress(io: Io, linesTotal: number | undefined): Progress {
  if (!io.stderrIsTerminal) return { clear() {}, advance() {}, stop() {} };
  const format =
    linesTotal === undefined
      ? "{value} lines committed, {duration_formatted}"
      : "{bar} {percentage} % | {value}/{total} lines | {eta_formatted} left";
  const bar = new SingleBar({
    format,
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    forceRedraw: true,
  });
  bar.start(linesTotal ?? 0, 0);
  return {
    clear() {
      // Otherwise the line would be written into the bar; the bar is drawn again below it.
      if (io.stdoutIsTerminal) process.stderr.write("\r\u001b[2K");
    },
    advance: (line) => bar.update(line),
    stop: () => bar.stop(),
  };
}
