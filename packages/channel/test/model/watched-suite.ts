/** The native suite, which remembers which AES keys an end holds, and throws as soon as any key of any end meets a nonce a second time. */
import type { AeadKey, CryptoSuite } from "@sealane/crypto";
import { nativeSuite } from "@sealane/crypto/native";
import { hex } from "@sealane/wire";

export class WatchedSuite {
  readonly suite: CryptoSuite;
  /** AES keys made and not wiped, as hex. */
  readonly held = new Set<string>();
  /** Every AES key ever made, as hex. */
  readonly made = new Set<string>();

  /** @param used - (key, nonce) pairs so far; shared by all ends, since each key belongs to two. */
  constructor(used: Set<string>) {
    const inner = new Map<AeadKey, { readonly aead: AeadKey; readonly name: string }>();
    this.suite = {
      ...nativeSuite,
      aead: (key) => {
        const name = hex(key);
        const aead = nativeSuite.aead(key);
        const watched: AeadKey = {
          open: (nonce, aad, ciphertext, tag) => aead.open(nonce, aad, ciphertext, tag),
          seal: (nonce, aad, plaintext) => {
            const use = `${name} ${hex(nonce)}`;
            if (used.has(use)) throw new Error("a (key, nonce) pair was used twice");
            used.add(use);
            return aead.seal(nonce, aad, plaintext);
          },
        };
        inner.set(watched, { aead, name });
        this.held.add(name);
        this.made.add(name);
        return watched;
      },
      wipe: (secret) => {
        const watched = secret instanceof Uint8Array || "type" in secret ? undefined : inner.get(secret);
        if (watched === undefined) return nativeSuite.wipe(secret);
        this.held.delete(watched.name);
        nativeSuite.wipe(watched.aead);
      },
    };
  }

  /** The end has restarted: what it held is gone. */
  forget(): void {
    this.held.clear();
  }
}
