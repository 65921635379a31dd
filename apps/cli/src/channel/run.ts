/** `sealane channel`: reads the files, makes or awaits the connection, and turns what came of it into a line and an exit code. */
import { createConnection, createServer, type Server, type Socket } from "node:net";
import type { ChannelOptions } from "@sealane/channel";
import { CertificateError, type CryptoSuite, spkiHash, verifyEndorsement } from "@sealane/crypto";
import { NodeId } from "@sealane/wire";
import { CliError, errorCode } from "../cli-error.js";
import type { ChannelFlags } from "../commands/channel-options.js";
import { nativeSuite, readCertificate, readPrivateKey } from "../inputs.js";
import { type Io, type StopSignal, signalExitCode } from "../io.js";
import { type Plan, Session, type SessionEnd } from "./session.js";

export interface Place {
  readonly type: "listen" | "connect";
  readonly host: string;
  readonly port: number;
}

/** With keys that last this few messages, exchanges come faster than the usual allowance. */
const SHORT_LIMIT = 100_000;
const ATTEMPTS_OF_SHORT_LIMIT = 10_000;

/** Resolves when all expected messages were accepted. @throws {CliError} with the reason why not. */
export async function runChannel(io: Io, place: Place, flags: ChannelFlags): Promise<void> {
  const options = await readOptions(flags);
  const plan: Plan = {
    send: { consensus: flags.sendConsensus, forwarded: flags.sendForwarded },
    expect: { consensus: flags.expectConsensus, forwarded: flags.expectForwarded },
    echo: flags.echo === true,
    initiates: place.type === "connect",
  };
  const run = new Run(io, place, flags, options, plan);
  await run.toEnd();
}

class Run {
  readonly #io: Io;
  readonly #place: Place;
  readonly #flags: ChannelFlags;
  readonly #options: ChannelOptions;
  readonly #plan: Plan;
  #session: Session | undefined;
  #server: Server | undefined;
  #socket: Socket | undefined;

  constructor(io: Io, place: Place, flags: ChannelFlags, options: ChannelOptions, plan: Plan) {
    this.#io = io;
    this.#place = place;
    this.#flags = flags;
    this.#options = options;
    this.#plan = plan;
  }

  async toEnd(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let unlisten = (): void => {};
    const deadline = new Promise<"deadline">((resolve) => {
      timer = setTimeout(resolve, this.#flags.deadline * 1_000, "deadline");
    });
    const stopped = new Promise<StopSignal>((resolve) => {
      unlisten = this.#io.onStopSignal(resolve);
    });
    try {
      const end = await Promise.race([this.#untilEnd(), deadline, stopped]);
      await this.#tell(end);
    } finally {
      clearTimeout(timer);
      unlisten();
      this.#server?.close();
      this.#socket?.destroy();
    }
  }

  async #untilEnd(): Promise<SessionEnd> {
    return this.#place.type === "connect" ? this.#runOn(await this.#dial()) : this.#serve();
  }

  #dial(): Promise<Socket> {
    const { host, port } = this.#place;
    const socket = createConnection({ host, port, allowHalfOpen: true });
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(socket);
      });
    });
  }

  /** Serves one connection at a time, until one got as far as an established channel. */
  #serve(): Promise<SessionEnd> {
    const { host, port } = this.#place;
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    this.#server = server;
    let isBusy = false;
    return new Promise((resolve, reject) => {
      server.once("error", (cause) => reject(cannotListen(cause, `${host}:${port}`)));
      server.on("connection", (socket) => {
        if (isBusy) {
          socket.destroy();
          return;
        }
        isBusy = true;
        this.#socket = socket;
        this.#runOn(socket).then((end) => {
          isBusy = false;
          if (end === "done" || this.#session?.isEstablished === true) resolve(end);
        }, reject);
      });
      server.listen({ host, port }, () => {
        const address = server.address();
        const actual = typeof address === "object" && address !== null ? address.port : port;
        this.#print({ event: "listening", host, port: actual }, `listening on ${host}:${actual}`).catch(reject);
      });
    });
  }

  #runOn(socket: Socket): Promise<SessionEnd> {
    this.#session = new Session(socket, this.#options, this.#plan);
    socket.resume();
    return this.#session.ended;
  }

  async #tell(end: SessionEnd | "deadline" | StopSignal): Promise<void> {
    const session = this.#session;
    // The other end may never close; what was to happen has happened.
    const isDone = end === "done" || (end === "deadline" && session?.isDone === true);
    session?.abort();
    const { accepted = NONE, sent = NONE, exchanges = 0, refused = {} } = session?.facts ?? {};
    const { self, peer, version } = this.#options;
    await this.#print(
      {
        event: "result",
        ok: isDone,
        version,
        role: this.#place.type,
        self: self.id,
        peer,
        accepted,
        sent,
        exchanges,
        refused,
      },
      isDone
        ? `accepted ${accepted.consensus} consensus and ${accepted.forwarded} forwarded messages, sent ${sent.consensus} and ${sent.forwarded}, in ${exchanges} key exchanges`
        : undefined,
    );
    if (isDone) return;
    const isSignal = end === "SIGINT" || end === "SIGTERM";
    throw new CliError(`${this.#reason(end)}; ${this.#progress()}`, isSignal ? { exitCode: signalExitCode(end) } : {});
  }

  #reason(end: SessionEnd | "deadline" | StopSignal): string {
    const { deadline } = this.#flags;
    switch (end) {
      case "deadline":
        return this.#session === undefined
          ? `nobody connected within ${deadline} s`
          : `the deadline of ${deadline} s passed`;
      case "closed-by-peer":
        return "the other side closed the connection";
      case "connection-lost":
        return "the connection was lost";
      case "not-the-framing":
        return "the other side does not speak the framing of these channels, and was disconnected";
      case "done":
        return "it is done";
      default:
        return "stopped by a signal";
    }
  }

  #progress(): string {
    const { accepted = NONE, sent = NONE, lastError } = this.#session?.facts ?? {};
    const { expect, send } = this.#plan;
    const keys = this.#session?.isEstablished === true ? "" : "no keys were agreed, ";
    const refusal = lastError === undefined ? "" : `, and the last refusal here was ${lastError}`;
    return (
      `${keys}${accepted.consensus} of ${expect.consensus} consensus and ${accepted.forwarded} of ${expect.forwarded} forwarded messages ` +
      `were accepted, ${sent.consensus} of ${send.consensus} and ${sent.forwarded} of ${send.forwarded} sent${refusal}`
    );
  }

  async #print(event: object, text: string | undefined): Promise<void> {
    if (this.#flags.json === true) await this.#io.printLine(JSON.stringify(event));
    else if (text !== undefined) await this.#io.printLine(text);
  }
}

function cannotListen(cause: Error, where: string): Error {
  switch (errorCode(cause)) {
    case "EADDRINUSE":
      return new CliError(`${where} is taken: choose another port`, { cause });
    case "EADDRNOTAVAIL":
      return new CliError(`${where} is not an address of this host`, { cause });
    default:
      return cause;
  }
}

const NONE = { consensus: 0, forwarded: 0 } as const;

async function readOptions(flags: ChannelFlags): Promise<ChannelOptions> {
  const suite = nativeSuite;
  const { certificate: service } = await readCertificate(suite, flags.serviceCert, "the service certificate");
  const { certificate } = await readCertificate(suite, flags.cert, "this node's certificate");
  const keyPair = await readPrivateKey(suite, flags.key, "this node's private key");
  const id = NodeId.parse(spkiHash(suite, keyPair.publicKey.spki));
  if (spkiHash(suite, certificate.publicKey.spki) !== id) {
    throw new CliError(`"${flags.cert}" is not the certificate of the key in "${flags.key}"`);
  }
  checkEndorsed(suite, certificate.der, service.der, flags);
  if (flags.peer === id) throw new CliError("--peer is this node's own id: a node has no channel to itself");
  const limits =
    flags.messageLimit === undefined
      ? {}
      : { recordsMax: flags.messageLimit, rekeyAtRecords: Math.floor(flags.messageLimit / 2) };
  const isShort = (flags.messageLimit ?? SHORT_LIMIT) < SHORT_LIMIT;
  const attempts = isShort
    ? { attemptsPerSecond: ATTEMPTS_OF_SHORT_LIMIT, attemptsBurst: ATTEMPTS_OF_SHORT_LIMIT }
    : {};
  return {
    suite,
    version: flags.version === "1" ? 1 : 2,
    self: { id, keyPair, certificate: certificate.der },
    peer: flags.peer,
    trust: { serviceCertificate: service.der, trusted: (node) => node === flags.peer, curves: ["P-384", "P-256"] },
    limits: { ...limits, ...attempts },
  };
}

function checkEndorsed(suite: CryptoSuite, leaf: Uint8Array, service: Uint8Array, flags: ChannelFlags): void {
  try {
    verifyEndorsement(suite, leaf, service, { curves: ["P-384", "P-256"] });
  } catch (cause) {
    if (!(cause instanceof CertificateError)) throw cause;
    throw new CliError(`"${flags.cert}" is not endorsed by "${flags.serviceCert}" (${cause.code})`, { cause });
  }
}
