import { ClientError } from "@sealane/client";
import { CryptoError } from "@sealane/crypto";
import { LedgerError } from "@sealane/ledger";
import { WireError } from "@sealane/wire";
import { expect, test } from "vitest";
import { CliError } from "./cli-error.js";
import { isTrustFailure, sentenceOf } from "./sentence.js";

function systemError(code: string, fields: object = {}): Error {
  return Object.assign(new Error(`${code}: raw text of the system`), { code, ...fields });
}

function clientError(code: "unreachable" | "untrusted" | "no-quorum", cause?: unknown): ClientError {
  return new ClientError(code, "https://h:1 said no", { retryable: true, cause });
}

test.each<[unknown, string]>([
  [new CliError("do this"), "do this."],
  [clientError("no-quorum"), "the service has no quorum: too few of its nodes confirmed it in time."],
  [new ClientError("not-found", "No record has the key k.", { retryable: false }), "no record has the key k."],
  [
    clientError("unreachable", new TypeError("fetch failed", { cause: new Error("bad port") })),
    "https://h:1 said no: clients may not use that port, it is reserved for another service.",
  ],
  [
    clientError("unreachable", new TypeError("fetch failed", { cause: systemError("ECONNREFUSED") })),
    "https://h:1 said no: nothing listens there (connection refused)",
  ],
  [
    clientError(
      "unreachable",
      new TypeError("fetch failed", { cause: new AggregateError([systemError("ECONNREFUSED")]) }),
    ),
    "https://h:1 said no: nothing listens there (connection refused)",
  ],
  [clientError("unreachable", new TypeError("fetch failed")), "https://h:1 said no."],
  [
    clientError("untrusted", new TypeError("fetch failed", { cause: systemError("ERR_SSL_WRONG_VERSION_NUMBER") })),
    "https://h:1 said no: it does not speak TLS.",
  ],
  [
    clientError("untrusted", new TypeError("fetch failed", { cause: systemError("ERR_TLS_CERT_ALTNAME_INVALID") })),
    "https://h:1 said no: its certificate is for another host name or address.",
  ],
  [
    systemError("EADDRINUSE", { address: "127.0.0.1", port: 7001 }),
    "port 7001 on 127.0.0.1 is taken: choose another one with --node or --api.",
  ],
  [systemError("ENOENT", { path: "/x" }), '"/x" does not exist.'],
  [systemError("EACCES", { path: "/x" }), '"/x" may not be used: permission denied.'],
  [
    systemError("EACCES", { syscall: "listen", address: "0.0.0.0", port: 80 }),
    "port 80 on 0.0.0.0 may not be used: choose one above 1023.",
  ],
  [new WireError("malformed", "the text is not JSON"), "the text is not JSON."],
  [
    new LedgerError("storage-failed", "the disk refused.", { cause: systemError("ENOSPC") }),
    "the disk refused: the disk is full.",
  ],
  [new CryptoError("malformed", "PEM text"), "PEM text refused: malformed."],
  [new Error("boom\n    at somewhere\u001b[31m"), "unexpected failure: boom     at somewhere [31m."],
  ["text", "unexpected failure: text."],
  [undefined, "unexpected failure: undefined."],
])("%s becomes one sentence", (error, sentence) => {
  expect(sentenceOf(error)).toBe(sentence);
});

test("a node's own sentence stands, with a hint at the flags where there are some", () => {
  const nodeError = (code: string): Error => Object.assign(new Error("Port 1 is taken."), { name: "NodeError", code });
  expect(sentenceOf(nodeError("join-refused"))).toBe("port 1 is taken.");
  expect(sentenceOf(nodeError("address-in-use"))).toBe("port 1 is taken: choose another one with --node or --api.");
});

test("a sentence is bounded, and causes that form a ring end", () => {
  expect(sentenceOf(new CliError("x".repeat(10_000))).length).toBeLessThan(700);
  const ring = new Error("a");
  ring.cause = ring;
  expect(sentenceOf(ring)).toBe("unexpected failure: a.");
});

test("certificates and missing TLS are for good, broken connections are not", () => {
  const wrapped = (code: string): Error => new TypeError("fetch failed", { cause: systemError(code) });
  for (const code of [
    "SELF_SIGNED_CERT_IN_CHAIN",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "CERT_HAS_EXPIRED",
    "ERR_SSL_WRONG_VERSION_NUMBER",
  ]) {
    expect(isTrustFailure(wrapped(code))).toBe(true);
  }
  for (const code of ["ECONNREFUSED", "ECONNRESET", "ENOTFOUND"]) expect(isTrustFailure(wrapped(code))).toBe(false);
});
