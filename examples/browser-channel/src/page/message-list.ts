/** Pings and pongs, newest first: what travelled, as others see it, and what the other end opened. */
import type { EndEvent, MessageKind } from "../channel-end.js";
import { element } from "./dom.js";

const ROWS_MAX = 8;
const CIPHERTEXT_CHARS_SHOWN = 48;

interface Row {
  readonly root: HTMLElement;
  readonly wire: HTMLElement;
  readonly text: HTMLElement;
}

export class MessageList {
  readonly root: HTMLElement;
  readonly #names: readonly [string, string];
  readonly #body = element("tbody");
  /** By sender, kind and number; as many as are shown, oldest first. */
  readonly #rows = new Map<string, Row>();

  constructor(first: string, second: string) {
    this.#names = [first, second];
    const heads = ["Message", "On the way", "Opened as"].map((text) => element("th", { scope: "col" }, text));
    this.root = element(
      "div",
      { class: "messages" },
      element(
        "table",
        { "aria-label": "Messages, newest first" },
        element("thead", {}, element("tr", {}, ...heads)),
        this.#body,
      ),
    );
  }

  note(end: 0 | 1, event: Extract<EndEvent, { type: "sealed" | "opened" }>): void {
    if (event.type === "sealed") {
      const { ciphertext } = event;
      const cut = ciphertext.length > CIPHERTEXT_CHARS_SHOWN ? "…" : "";
      this.#row(end, event.kind, event.number).wire.textContent = ciphertext.slice(0, CIPHERTEXT_CHARS_SHOWN) + cut;
    } else {
      const { root, text } = this.#row(end === 0 ? 1 : 0, event.kind, event.number);
      text.textContent = event.text;
      root.dataset.state = "opened";
    }
  }

  #row(from: 0 | 1, kind: MessageKind, number: number): Row {
    const key = `${from} ${kind} ${number}`;
    return this.#rows.get(key) ?? this.#addRow(key, from, kind, number);
  }

  #addRow(key: string, from: 0 | 1, kind: MessageKind, number: number): Row {
    const wire = element("td", { class: "mono muted" });
    const text = element("td");
    const to = from === 0 ? 1 : 0;
    const title = element("th", { scope: "row" }, `${kind} ${number} `);
    title.append(element("small", {}, `${this.#names[from]} → ${this.#names[to]}`));
    const root = element("tr", { "data-message": key, "data-kind": kind }, title, wire, text);
    this.#body.prepend(root);
    const row = { root, wire, text };
    this.#rows.set(key, row);
    for (const [oldest, { root: last }] of this.#rows) {
      if (this.#rows.size <= ROWS_MAX) break;
      last.remove();
      this.#rows.delete(oldest);
    }
    return row;
  }
}
