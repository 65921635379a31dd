/** Finds keys in text, in whatever form a program may have printed them. */

import { stripVTControlCharacters } from "node:util";

/** How many characters of a key's text are looked up before the whole is compared; every form of a key is at least this long. */
const PROBE = 16;
/** Runs of bytes as they are printed: `0a1b…`, `0a 1b …`, `10, 27, …`, `{"0":10,"1":27,…}`, and both alphabets of base64. */
const HEX = /[0-9a-fA-F]{32,}/g;
const SPACED_HEX = /(?:[0-9a-fA-F]{2}[ :]){15,}[0-9a-fA-F]{2}/g;
const DECIMAL = /(?:\d{1,3}[,\s]+){15,}\d{1,3}/g;
const INDEXED = /(?:"?\d+"?:\s*\d{1,3}[,\s]+){15,}"?\d+"?:\s*\d{1,3}/g;
const BASE64 = /[A-Za-z0-9+/_-]{20,}/g;

interface Found {
  readonly form: string;
  readonly before: string;
}

export class KeySearch {
  /** Probe -> the whole texts that start with it. */
  readonly #hex = new Map<string, string[]>();
  readonly #base64 = new Map<string, string[]>();
  #keys = 0;

  /** @param key - In lower-case hex, 16 bytes at least. */
  add(key: string): void {
    this.#keys += 1;
    index(this.#hex, key);
    for (const form of base64Forms(Buffer.from(key, "hex"))) index(this.#base64, form);
  }

  get keys(): number {
    return this.#keys;
  }

  /** @returns for each key that stands in the text: in which form, and what stands on its line before it. Never the key. */
  find(printed: string): readonly Found[] {
    const text = stripVTControlCharacters(printed);
    const found: Found[] = [];
    const look = (form: string, pattern: RegExp, known: Map<string, string[]>, plain: (run: string) => string) => {
      for (const match of text.matchAll(pattern)) {
        if (holds(known, plain(match[0]))) found.push({ form, before: lineBefore(text, match.index) });
      }
    };
    look("hex", HEX, this.#hex, (run) => run.toLowerCase());
    look("hex", SPACED_HEX, this.#hex, (run) => run.replaceAll(/[ :]/g, "").toLowerCase());
    look("bytes", DECIMAL, this.#hex, (run) => hexOf(run.split(/[,\s]+/)));
    look("bytes", INDEXED, this.#hex, (run) =>
      hexOf(run.split(/[,\s]+(?="?\d+"?:)/).map((pair) => pair.replace(/.*:\s*/, ""))),
    );
    look("base64", BASE64, this.#base64, (run) => run.replaceAll("-", "+").replaceAll("_", "/"));
    return found;
  }
}

function index(known: Map<string, string[]>, text: string): void {
  const probe = text.slice(0, PROBE);
  const same = known.get(probe);
  if (same === undefined) known.set(probe, [text]);
  else if (!same.includes(text)) same.push(text);
}

function holds(known: Map<string, string[]>, run: string): boolean {
  for (let at = 0; at + PROBE <= run.length; at++) {
    const texts = known.get(run.slice(at, at + PROBE));
    if (texts?.some((text) => run.startsWith(text, at))) return true;
  }
  return false;
}

function hexOf(numbers: readonly string[]): string {
  return numbers.map((number) => Number(number).toString(16).padStart(2, "0")).join("");
}

/** What of a key's base64 is the same whatever stands around it, for each of the three places it can start at within a group of 3 bytes. */
function base64Forms(key: Buffer): string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), key])
      .toString("base64")
      .replaceAll("=", "");
    const first = Math.ceil((before * 8) / 6);
    return text.slice(first, Math.floor(((before + key.length) * 8) / 6));
  });
}

function lineBefore(text: string, at: number): string {
  return text.slice(Math.max(text.lastIndexOf("\n", at) + 1, at - 100), at);
}
