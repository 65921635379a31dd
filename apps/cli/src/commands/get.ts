/** `sealane get`: reads one record. */
import type { Command } from "commander";
import type { Io } from "../io.js";
import { recordKey } from "./record-key.js";
import { addServiceOptions, type ServiceOptions, withService } from "./service-options.js";

interface GetOptions extends ServiceOptions {
  readonly serializable?: boolean;
  readonly json?: boolean;
}

export function addGet(program: Command, io: Io): void {
  const command = program
    .command("get")
    .summary("read a record")
    .description("Read one record and print its value as JSON.")
    .argument("<key>", "the record's key", recordKey)
    .option("--serializable", "take what the node asked knows, which may be old; needs no quorum")
    .option("--json", "print key, value and transaction id as one JSON line");
  addServiceOptions(command)
    .addHelpText("after", "\nExample:\n  $ sealane get ship-1 --service-cert service.pem")
    .action(async (key: string, options: GetOptions) => {
      const record = await withService(options, (client) =>
        client.get(key, { consistency: options.serializable === true ? "serializable" : "linearizable" }),
      );
      await io.printLine(JSON.stringify(options.json === true ? record : record.value));
    });
}
