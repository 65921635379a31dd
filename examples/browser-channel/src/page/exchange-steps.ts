/** The four messages of the latest key exchange as arrows between the two ends: faint until sent, whole once received. */
import type { ExchangeStep } from "@sealane/channel";
import { element } from "./dom.js";

const NAMES = ["init", "response", "final", "confirm"] as const;
type Name = (typeof NAMES)[number];

interface Row {
  readonly root: HTMLElement;
  readonly bytes: HTMLElement;
}

export class ExchangeSteps {
  readonly root: HTMLElement;
  readonly #rows: Readonly<Record<Name, Row>>;

  constructor(link: string) {
    this.#rows = { init: row("init"), response: row("response"), final: row("final"), confirm: row("confirm") };
    this.root = element(
      "div",
      { class: "steps" },
      element("p", { class: "muted" }, link),
      element("ol", { "aria-label": "Key exchange" }, ...NAMES.map((name) => this.#rows[name].root)),
    );
  }

  /** @param bytes - Its length, where `end` sent it. */
  note(end: 0 | 1, step: ExchangeStep, bytes: number | null): void {
    const [name, what] = partsOf(step);
    const { root, bytes: text } = this.#rows[name];
    if (what === "received") {
      root.dataset.state = "received";
      return;
    }
    if (name === "init") for (const each of NAMES) this.#rows[each].root.dataset.state = "";
    // The two ends report each for itself, and what was received may be known before what was sent.
    if (root.dataset.state !== "received" || name === "init") root.dataset.state = "sent";
    root.dataset.to = end === 0 ? "right" : "left";
    text.textContent = bytes === null ? "" : `${bytes} bytes`;
  }
}

function row(name: Name): Row {
  const bytes = element("small");
  const isAnswer = name === "response" || name === "confirm";
  const root = element(
    "li",
    { "data-step": name, "data-state": "", "data-to": isAnswer ? "left" : "right" },
    element("span", {}, name),
    bytes,
    element("i", { "aria-hidden": "true" }),
  );
  return { root, bytes };
}

function partsOf(step: ExchangeStep): readonly [Name, "sent" | "received"] {
  const name = NAMES.find((each) => step.startsWith(each));
  if (name === undefined) throw new Error(`no step of the exchange: ${step}`);
  return [name, step.endsWith("-sent") ? "sent" : "received"];
}
