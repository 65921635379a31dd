/** What happened in a run, folded into one number as it happens: two runs with the same number did the same. */
import type { NodeEvent } from "@sealane/node/core";
import type { FrameType, NodeId } from "@sealane/wire";

export class RunTrace {
  #a = 0x9e3779b9;
  #b = 0x85ebca6b;
  #frames = 0;
  /** A node's id as one word, made once: it stands in every frame. */
  readonly #words = new Map<NodeId, number>();

  /** 16 hex digits. */
  get hash(): string {
    return [this.#a, this.#b].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
  }

  get frames(): number {
    return this.#frames;
  }

  /** A frame as it leaves: when, from whom, to whom, and every byte of it. */
  handleFrame(atMs: number, from: NodeId, to: NodeId, type: FrameType, parts: readonly Uint8Array[]): void {
    this.#frames += 1;
    this.#fold(atMs);
    this.#fold(this.#wordOf(from));
    this.#fold(this.#wordOf(to));
    this.#fold(type);
    for (const part of parts) this.#bytes(part);
  }

  /** A frame as it arrives, and whether it proved its sender. */
  handleArrival(atMs: number, from: NodeId, to: NodeId, verdict: "authentic" | "unproven"): void {
    this.#fold(atMs);
    this.#fold(this.#wordOf(from));
    this.#fold(this.#wordOf(to));
    this.#fold(verdict.length);
  }

  /** Headers and forwarded messages are left out: they are in the frames. */
  handleEvent(of: NodeId, event: NodeEvent): void {
    if (event.type === "header" || event.type === "forwarded") return;
    this.#fold(this.#wordOf(of));
    this.#text(JSON.stringify(event));
  }

  #wordOf(id: NodeId): number {
    const known = this.#words.get(id);
    if (known !== undefined) return known;
    const word = Number.parseInt(id.slice(0, 8), 16) | 0; // ids are hex digests
    this.#words.set(id, word);
    return word;
  }

  #text(text: string): void {
    for (let index = 0; index < text.length; index++) this.#fold(text.charCodeAt(index));
  }

  /** Four bytes at a time, then the rest, then the length. */
  #bytes(bytes: Uint8Array): void {
    const { length } = bytes;
    let at = 0;
    for (; at + 3 < length; at += 4) {
      const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
      this.#fold(low | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24));
    }
    for (; at < length; at++) this.#fold(bytes[at] ?? 0);
    this.#fold(length);
  }

  /** The shift brings a word's upper bits, which a product alone would lose, back down. */
  #fold(value: number): void {
    const a = Math.imul(this.#a ^ value, 0x01000193);
    this.#a = a ^ (a >>> 13);
    const b = Math.imul((this.#b ^ value) + 0x9e3779b9, 0x85ebca77);
    this.#b = b ^ (b >>> 15);
  }
}
