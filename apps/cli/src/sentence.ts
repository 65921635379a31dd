/**
 * One place that turns whatever was thrown into one sentence. Errors of our packages are told by their `name` and `code`, not by class, so
 * that `sealane get` need not load the node package to print a message.
 */

/** A sentence is cut here; no error of ours comes near it. */
const SENTENCE_CHARS_MAX = 600;
/** Wrapped errors are followed this far. */
const CAUSES_MAX = 8;

/** The sentence for an error, without the leading `sealane: `. Never a stack trace, never more than one line. */
export function sentenceOf(error: unknown): string {
  return oneLine(describe(error));
}

/** Whether an error of `fetch` means that this server must not be talked to, however often one tries. */
export function isTrustFailure(error: unknown): boolean {
  return chainOf(error).some(({ code }) => code !== undefined && (TLS_TRUST.has(code) || NOT_TLS.has(code)));
}

/** What can be read of an error without trusting its shape. */
interface Facts {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly syscall: string | undefined;
  readonly path: string | undefined;
  readonly address: string | undefined;
  readonly port: number | undefined;
}

function describe(error: unknown): string {
  const chain = chainOf(error);
  const [first] = chain;
  if (first === undefined) return `unexpected failure: ${String(error)}`;
  if (first.name === "CliError") return first.message;
  if (first.name === "ClientError") return describeClient(first, chain);
  if (first.name === "NodeError") return withReason(first.message, NODE_HINTS[first.code ?? ""]);
  const system = chain.map(describeSystem).find((text) => text !== undefined);
  if (OUR_ERRORS.has(first.name)) return withReason(first.message, system);
  return system ?? `unexpected failure: ${first.message || first.name}`;
}

/** Names of our packages' errors whose messages are sentences already. */
const OUR_ERRORS = new Set(["LedgerError", "WireError", "CryptoError", "CertificateError", "KvError", "FaultError"]);

/** What the person at the terminal can do, where the node's own message cannot know of flags. */
const NODE_HINTS: Readonly<Record<string, string>> = {
  "address-in-use": "choose another one with --node or --api",
  "bad-address": "choose another one with --node or --api",
};

/** Reasons of a service, in fewer words than its own; a `txId` in doubt means nothing to somebody who can just repeat the command. */
const SERVICE_REASONS: Readonly<Record<string, string>> = {
  "no-quorum": "the service has no quorum: too few of its nodes confirmed it in time",
  "no-primary": "the service has no primary at present",
  timeout: "no node answered in time",
  overloaded: "the service is overloaded",
  lost: "the write was lost when another node became primary",
  stopping: "the node is stopping",
  retired: "the node was removed from its service: ask another one",
  "not-trusted": "the node is not trusted yet",
};

function describeClient({ code, message }: Facts, chain: readonly Facts[]): string {
  if (code === "untrusted") {
    const plain = chain.some((facts) => facts.code !== undefined && NOT_TLS.has(facts.code));
    if (plain) return `${message}: it does not speak TLS`;
    const name = chain.some((facts) => facts.code === "ERR_TLS_CERT_ALTNAME_INVALID");
    if (name) return `${message}: its certificate is for another host name or address`;
    const expired = chain.some((facts) => facts.code === "CERT_HAS_EXPIRED" || facts.code === "CERT_NOT_YET_VALID");
    if (expired) return `${message}: its certificate is not valid at this time`;
    return `${message}: its certificate is not endorsed by the service certificate given (a node that is not trusted yet has no such one)`;
  }
  if (code === "unreachable") return withReason(message, reasonOf(chain));
  return SERVICE_REASONS[code ?? ""] ?? message;
}

function reasonOf(chain: readonly Facts[]): string | undefined {
  // The Fetch standard keeps clients away from ports of other well-known services; undici says so in these words only.
  if (chain.some(({ message }) => message === "bad port"))
    return "clients may not use that port, it is reserved for another service";
  return chain.map(({ code }) => CONNECTION[code ?? ""]).find((text) => text !== undefined);
}

function withReason(message: string, reason: string | undefined): string {
  return reason === undefined ? message : `${message.replace(/\.$/, "")}: ${reason}`;
}

/** Errors of the operating system, by the code Node gives them. */
function describeSystem({ code, syscall, path, address, port }: Facts): string | undefined {
  if (code === undefined) return undefined;
  const where = port === undefined ? "the address" : `port ${port} on ${address ?? "this host"}`;
  const file = path === undefined ? "a file" : `"${path}"`;
  switch (code) {
    case "EADDRINUSE":
      return `${where} is taken: choose another one with --node or --api`;
    case "EADDRNOTAVAIL":
      return `${address ?? "the address"} is not an address of this host: choose another one with --node or --api`;
    case "EACCES":
      if (syscall === "listen" || syscall === "bind") return `${where} may not be used: choose one above 1023`;
      return `${file} may not be used: permission denied`;
    case "EPERM":
      return `${file} may not be used: the operation is not permitted`;
    case "ENOENT":
      return `${file} does not exist`;
    case "EISDIR":
      return `${file} is a directory, not a file`;
    case "ENOTDIR":
      return `${file} is not a directory`;
    case "EEXIST":
      return `${file} exists already`;
    case "EROFS":
      return `${file} is on a file system that cannot be written`;
    case "ENOSPC":
      return "the disk is full";
    case "EMFILE":
      return "too many files are open";
    default:
      return CONNECTION[code] ?? (TLS_TRUST.has(code) ? "the certificate of the other side is not trusted" : undefined);
  }
}

const CONNECTION: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there (connection refused)",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was closed",
  ETIMEDOUT: "the connection timed out",
  EHOSTUNREACH: "there is no route to the host",
  ENETUNREACH: "there is no route to the network",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name cannot be looked up now",
  UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
  UND_ERR_SOCKET: "the connection was closed",
  UND_ERR_HEADERS_TIMEOUT: "the answer took too long",
  UND_ERR_BODY_TIMEOUT: "the answer took too long",
  UND_ERR_RES_EXCEEDED_MAX_SIZE: "the answer is too large",
};

/** OpenSSL's verdicts on a certificate, and Node's on its name. */
const TLS_TRUST = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_DECRYPT_CERT_SIGNATURE",
  "CERT_SIGNATURE_FAILURE",
  "CERT_CHAIN_TOO_LONG",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_REVOKED",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "HOSTNAME_MISMATCH",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

/** The other side answered, but not in TLS, or not in a version of it that is left. */
const NOT_TLS = new Set([
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
  "ERR_SSL_UNSUPPORTED_PROTOCOL",
  "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
]);

/** An error and its causes, outermost first; of several that happened together, all. */
function chainOf(error: unknown): readonly Facts[] {
  const chain: Facts[] = [];
  const open: unknown[] = [error];
  while (chain.length < CAUSES_MAX) {
    const next = open.shift();
    if (!(next instanceof Error)) {
      if (open.length === 0) break;
      continue;
    }
    chain.push(factsOf(next));
    if (next instanceof AggregateError) open.push(...next.errors.slice(0, CAUSES_MAX));
    open.push(next.cause);
  }
  return chain;
}

function factsOf(error: Error): Facts {
  return {
    name: error.name,
    message: error.message,
    code: textField(error, "code"),
    syscall: textField(error, "syscall"),
    path: textField(error, "path"),
    address: textField(error, "address"),
    port: numberField(error, "port"),
  };
}

function textField(error: Error, field: string): string | undefined {
  const value: unknown = Reflect.get(error, field);
  return typeof value === "string" ? value : undefined;
}

function numberField(error: Error, field: string): number | undefined {
  const value: unknown = Reflect.get(error, field);
  return typeof value === "number" ? value : undefined;
}

// Control characters of a hostile message must not reach the terminal either.
function oneLine(text: string): string {
  const line = text
    .replace(/\p{Cc}+/gu, " ")
    .trim()
    .slice(0, SENTENCE_CHARS_MAX)
    .replace(/^[A-Z](?=[a-z]+ )/, (letter) => letter.toLowerCase()); // it goes on behind "sealane: "
  return /[.!?)]$/.test(line) ? line : `${line}.`;
}
