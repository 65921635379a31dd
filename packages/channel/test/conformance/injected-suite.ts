/** The native suite, made to draw the ephemeral keys and salts of a recorded case, and to remember what keys came out and were used. */
import { type AeadKey, type CryptoSuite, type KeyPair, pemDecode } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { concatBytes, fromHex, hex } from "@sealane/wire";
import type { After, Case, SideName } from "./vectors.js";

/** RFC 5958 around RFC 5915, for a P-384 scalar of 48 bytes and nothing else. */
const PKCS8_P384 = fromHex("304e020100301006072a8648ce3d020106052b81040022043730350201010430");
const SALT_BYTES = 32;

interface Draw {
  readonly event: number;
  readonly scalar: string;
  readonly salt: string;
}

export class InjectedSuite {
  readonly suite: CryptoSuite;
  /** AES keys made so far, as hex. */
  readonly keys = new Set<string>();
  /** ECDH results so far, as hex. */
  readonly secrets = new Set<string>();
  /** Highest counter opened under each key. */
  readonly opened = new Map<string, number>();
  readonly #draws: readonly Draw[];
  readonly #used = new Set<string>();
  #event = 0;
  #salt = "";

  constructor(recorded: Case, side: SideName) {
    this.#draws = recorded.events.flatMap(({ at, after }, event) =>
      at === side && isObject(after) && after.own_ephemeral_private !== null && after.salt !== null
        ? [{ event, scalar: after.own_ephemeral_private, salt: after.salt }]
        : [],
    );
    this.suite = {
      ...nativeSuite,
      generateKeyPair: () => this.#draw(),
      // Of what a channel draws only salts have 32 bytes; the rest is jitter of pauses.
      randomBytes: (length) => (length === SALT_BYTES ? fromHex(this.#salt) : new Uint8Array(length)),
      agree: (own, peer) => {
        const secret = nativeSuite.agree(own, peer);
        this.secrets.add(hex(secret));
        return secret;
      },
      aead: (key) => this.#watch(key),
      wipe: (secret) => {
        if (secret instanceof Uint8Array || "type" in secret) nativeSuite.wipe(secret); // else an AEAD key of `#watch`
      },
    };
  }

  /** The event that is replayed now. */
  at(event: number): void {
    this.#event = event;
  }

  /**
   * The pair of this event; for a pair that is made at another time than in the file, the latest one passed over, or else the next one.
   * Beyond those a fresh one.
   */
  #draw(): KeyPair {
    const unused = this.#draws.filter(({ scalar }) => !this.#used.has(scalar));
    const draw =
      this.#draws.find(({ event }) => event === this.#event) ??
      unused.filter(({ event }) => event < this.#event).at(-1) ??
      unused.at(0);
    if (draw === undefined) {
      this.#salt = hex(nativeSuite.randomBytes(SALT_BYTES));
      return nativeSuite.generateKeyPair("P-384");
    }
    this.#used.add(draw.scalar);
    this.#salt = draw.salt;
    return nativeSuite.importPrivateKey(concatBytes(PKCS8_P384, fromHex(draw.scalar)));
  }

  #watch(key: Uint8Array): AeadKey {
    const name = hex(key);
    const aead = nativeSuite.aead(key);
    this.keys.add(name);
    return {
      seal: (nonce, aad, plaintext) => aead.seal(nonce, aad, plaintext),
      open: (nonce, aad, ciphertext, tag) => {
        const plaintext = aead.open(nonce, aad, ciphertext, tag);
        if (plaintext !== undefined) this.opened.set(name, counterOf(nonce));
        return plaintext;
      },
    };
  }
}

export function keyPairOf(pem: string): KeyPair {
  return nativeSuite.importPrivateKey(pemDecode("PRIVATE KEY", pem));
}

export function isObject(after: After | "unchanged" | undefined): after is After {
  return typeof after === "object";
}

/** channel-v1-wire §8.1. */
function counterOf(nonce: Uint8Array): number {
  return Number(new DataView(nonce.buffer, nonce.byteOffset, 8).getBigUint64(0, true) >> 8n);
}
