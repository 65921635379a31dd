/** `start [PORT]`: serves the page and waits for its channel. Port 4700 unless given; 0 for any. Ctrl-C ends it. */
import { serveBridge } from "./server.js";

const DEFAULT_PORT = 4700;

async function main(argument: string | undefined): Promise<void> {
  const port = argument === undefined ? DEFAULT_PORT : Number(argument);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`${argument} is no port`);
  const server = await serveBridge(port);
  process.stdout.write(`The page is at ${server.url}\nCtrl-C stops it.\n`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void server.close());
}

main(process.argv[2]).catch((error: unknown) => {
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`browser-channel: ${text}\n`);
  process.exitCode = 1;
});
