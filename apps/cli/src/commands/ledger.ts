import type { Command } from "commander";
import type { Io } from "../io.js";
export function addLedger(program: Command, _io: Io): void {
  program.command("ledger");
}
