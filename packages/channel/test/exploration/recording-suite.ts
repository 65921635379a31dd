/** A suite that costs nothing and repeats itself, and which sees every key: what is alive, in which direction, and whether a nonce came twice. */
import type { AeadKey, CryptoSuite, PrivateKey } from "@sealane/crypto";
import { simulatedSuite } from "@sealane/crypto/simulated";
import { hex, type NodeId, nodeIdBytes, utf8 } from "@sealane/wire";

/** channel-v2 §4: key = HKDF-Expand(PRK, "sealane/channel/2/key" ‖ id(from) ‖ id(to), 32). */
const KEY_LABEL = hex(utf8("sealane/channel/2/key"));

export interface RecordingSuite {
  readonly suite: CryptoSuite;
  /** Keys that are not wiped yet, as hex. */
  readonly liveKeys: ReadonlySet<string>;
  /** Ephemeral private keys that are not wiped yet. */
  readonly liveShares: ReadonlySet<PrivateKey>;
  /** Those of `liveKeys` that `from` seals with. */
  keysFrom(from: NodeId): readonly string[];
  /** Pairs of key and nonce that sealed more than once. */
  readonly repeatedNonces: readonly string[];
}

/** @param seed - Distinguishes the ends: every random byte is a function of it and of how many were drawn. */
export function recordingSuite(seed: number): RecordingSuite {
  const base = simulatedSuite(countingBytes(seed));
  const liveKeys = new Set<string>();
  const liveShares = new Set<PrivateKey>();
  const handles = new Map<unknown, string>();
  const infoOfKey = new Map<string, string>();
  const sealed = new Set<string>();
  const repeatedNonces: string[] = [];
  const suite: CryptoSuite = {
    ...base,
    generateKeyPair: (curve) => {
      const pair = base.generateKeyPair(curve);
      liveShares.add(pair.privateKey);
      return pair;
    },
    hkdfExpand: (hash, prk, info, length) => {
      const bytes = base.hkdfExpand(hash, prk, info, length);
      infoOfKey.set(hex(bytes), hex(info));
      return bytes;
    },
    aead: (key) => {
      const name = hex(key);
      const inner = base.aead(key);
      const handle: AeadKey = {
        seal: (nonce, aad, plaintext) => {
          const use = `${name}/${hex(nonce)}`;
          if (sealed.has(use)) repeatedNonces.push(use);
          sealed.add(use);
          return inner.seal(nonce, aad, plaintext);
        },
        open: (nonce, aad, ciphertext, tag) => inner.open(nonce, aad, ciphertext, tag),
      };
      handles.set(handle, name);
      liveKeys.add(name);
      return handle;
    },
    wipe: (secret) => {
      const name = handles.get(secret);
      if (name !== undefined) liveKeys.delete(name);
      else if (!(secret instanceof Uint8Array) && "type" in secret) liveShares.delete(secret);
      if (name === undefined) base.wipe(secret);
    },
  };
  const keysFrom = (from: NodeId): readonly string[] => {
    const info = KEY_LABEL + hex(nodeIdBytes(from));
    return [...liveKeys].filter((key) => infoOfKey.get(key)?.startsWith(info) === true);
  };
  return { suite, liveKeys, liveShares, keysFrom, repeatedNonces };
}

/** Never the same twice for one seed, and never what another seed gives: [seed, count, count, …]. */
function countingBytes(seed: number): (length: number) => Uint8Array {
  let drawn = 0;
  return (length) => {
    drawn += 1;
    // The fourth byte is the high one of a back-off's jitter: the two ends do not pause equally long.
    return new Uint8Array(length)
      .fill(1)
      .map((one, index) => [seed, drawn & 0xff, drawn >> 8, seed << 6][index] ?? one);
  };
}
