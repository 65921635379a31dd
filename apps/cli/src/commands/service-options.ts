/** The flags of every command that talks to a service, and the connection they describe. */
import type { Client } from "@sealane/client";
import { type Command, Option } from "commander";
import type { CertificateFile } from "../inputs.js";
import { collect, nodeUrl, wholeNumber } from "../values.js";

export interface ServiceOptions {
  readonly url?: readonly string[];
  readonly serviceCert: string;
  readonly timeout: number;
}

const URL_DEFAULT = "https://127.0.0.1:8001";
const TIMEOUT_MS_DEFAULT = 30_000;
const TIMEOUT_MS_MAX = 3_600_000;

export function addServiceOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--url <url>",
        `where a node answers; repeat it to fail over between nodes (default: "${URL_DEFAULT}")`,
      )
        .argParser(collect(nodeUrl))
        .env("SEALANE_URL"),
    )
    .addOption(
      new Option("--service-cert <file>", "the service certificate in PEM, the only one trusted")
        .env("SEALANE_SERVICE_CERT")
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--timeout <ms>", "give up a request after this time, retries included")
        .argParser(wholeNumber(1, TIMEOUT_MS_MAX))
        .default(TIMEOUT_MS_DEFAULT),
    );
}

/** Connects as the flags say, runs `work`, and closes the connection however it ends. */
export async function withService<T>(
  options: ServiceOptions,
  work: (client: Client, service: CertificateFile) => Promise<T>,
  connectionsMax?: number,
): Promise<T> {
  const { nativeSuite, readCertificate } = await import("../inputs.js");
  const service = await readCertificate(nativeSuite, options.serviceCert, "the service certificate");
  const { connect } = await import("../connection.js");
  const connection = connect({
    urls: options.url ?? [URL_DEFAULT],
    serviceCertificate: service.pem,
    timeoutMs: options.timeout,
    ...(connectionsMax !== undefined && { connectionsMax }),
  });
  try {
    return await work(connection.client, service);
  } finally {
    await connection.close();
  }
}
