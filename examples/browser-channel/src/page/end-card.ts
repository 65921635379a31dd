/** One end of a channel: who it is, where it runs, and what its channel says of itself (channel-v2 §8). */
import type { ChannelState } from "@sealane/wire";
import { element } from "./dom.js";

export interface EndTitle {
  readonly name: string;
  /** Where, and with which suite. */
  readonly runs: string;
}

/** Key ages are shown in whole seconds. */
const REFRESH_EVERY_MS = 1_000;
const ID_CHARS_SHOWN = 12;

export class EndCard {
  readonly root: HTMLElement;
  readonly #id = element("span", { class: "mono muted" }, "…");
  readonly #state = element("span", { class: "badge" }, "INACTIVE");
  readonly #figures: Readonly<Record<"Key age" | "Sent" | "Received" | "Left" | "Exchanges", HTMLElement>> = {
    "Key age": element("dd", {}, "–"),
    Sent: element("dd", {}, "0"),
    Received: element("dd", {}, "0"),
    Left: element("dd", { title: "Records until new keys are made" }, "0"),
    Exchanges: element("dd", {}, "0"),
  };
  readonly #refusal = element("p", { class: "muted refusal" });
  #keySinceMs: number | undefined;

  constructor({ name, runs }: EndTitle) {
    const figures = Object.entries(this.#figures).map(([term, value]) =>
      element("div", {}, element("dt", {}, term), value),
    );
    this.root = element(
      "article",
      { class: "end", "aria-label": name },
      element("header", {}, element("h3", {}, name), this.#state),
      element("p", { class: "muted" }, runs),
      element("p", {}, "id ", this.#id),
      element("dl", {}, ...figures),
      this.#refusal,
    );
    setInterval(() => this.#showAge(), REFRESH_EVERY_MS);
  }

  identify(id: string): void {
    this.#id.textContent = `${id.slice(0, ID_CHARS_SHOWN)}…`;
    this.#id.title = id;
  }

  show({ state, keyAgeMs, sent, received, recordsLeft, exchanges }: ChannelState): void {
    this.#state.textContent = state;
    this.#state.dataset.state = state;
    this.#keySinceMs = keyAgeMs === null ? undefined : performance.now() - keyAgeMs;
    this.#figures.Sent.textContent = String(sent);
    this.#figures.Received.textContent = String(received);
    this.#figures.Left.textContent = String(recordsLeft);
    this.#figures.Exchanges.textContent = String(exchanges);
    this.#showAge();
  }

  refused(code: string): void {
    this.#refusal.textContent = `last refusal: ${code}`;
  }

  #showAge(): void {
    const since = this.#keySinceMs;
    this.#figures["Key age"].textContent =
      since === undefined ? "–" : `${Math.floor((performance.now() - since) / 1_000)} s`;
  }
}
