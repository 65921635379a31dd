/** What happened in a run, folded into one number as it happens: two runs with the same number did the same. */
import type { NodeEvent } from "@sealane/node/core";
import type { FrameType, NodeId } from "@sealane/wire";

export class RunTrace {
  #a = 0x9e3779b9;
  #b = 0x85ebca6b;
  #frames = 0;

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
    this.#text(`${atMs} ${from} ${to} ${type}`);
    for (const part of parts) for (const byte of part) this.#fold(byte);
  }

  handleEvent(of: NodeId, event: NodeEvent): void {
    this.#text(`${of} ${JSON.stringify(event)}`);
  }

  #text(text: string): void {
    for (let index = 0; index < text.length; index++) this.#fold(text.charCodeAt(index));
  }

  #fold(value: number): void {
    this.#a = Math.imul(this.#a ^ value, 0x01000193);
    this.#b = Math.imul((this.#b ^ value) + 0x9e3779b9, 0x85ebca77);
    this.#b ^= this.#b >>> 15;
  }
}
