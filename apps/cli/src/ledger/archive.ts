/** Moves old chunks away, and says what is left. */
import { LedgerError } from "@sealane/ledger";
import { type Archived, archiveBelow } from "@sealane/ledger/files";
import { seqno } from "@sealane/wire";
import { CliError } from "../cli-error.js";
import { nativeSuite, readCertificate } from "../inputs.js";
import type { Io } from "../io.js";
import { chunkDirectory, snapshotsOf } from "./directory.js";
import { readLedgerSecrets } from "./secrets.js";

export interface ArchiveFlags {
  readonly below?: number;
  readonly secrets?: string;
  readonly serviceCert?: string;
}

/** @throws {CliError} when there is no snapshot that allows it; nothing was moved then. */
export async function archive(
  io: Io,
  directory: string,
  target: string,
  { below, secrets, serviceCert }: ArchiveFlags,
): Promise<void> {
  const chunks = await chunkDirectory(directory);
  const snapshots = await snapshotsOf(directory);
  if (snapshots === undefined)
    throw new CliError(`"${directory}" has no snapshots: without one every chunk is needed to start a node`);
  const keys = secrets === undefined ? undefined : await readLedgerSecrets(secrets);
  const service =
    serviceCert === undefined ? undefined : await readCertificate(nativeSuite, serviceCert, "the service certificate");
  const done = await archiveBelow(chunks, target, {
    suite: nativeSuite,
    snapshots,
    ...(below !== undefined && { below: seqno(below) }),
    ...(keys && { secrets: keys }),
    ...(service && { serviceCertificate: service.pem }),
  }).catch((cause: unknown) => {
    if (!(cause instanceof LedgerError)) throw cause;
    throw new CliError(`nothing more can be archived: ${cause.message}`, { cause });
  });
  for (const line of lines(done, target)) if (!(await io.printLine(line))) return;
}

function lines({ moved, firstSeqno, snapshot }: Archived, target: string): string[] {
  return [
    ...moved.map((name) => `moved ${name} to ${target}`),
    moved.length === 0
      ? `nothing to move: no committed chunk but the last lies whole below ${snapshot.name}`
      : `the ledger starts with entry ${firstSeqno}; a node starts from ${snapshot.name} or a newer one`,
  ];
}
