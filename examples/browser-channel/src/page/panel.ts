/** One channel on the page: both ends, the messages of the latest key exchange between them, and what was sealed and opened. */
import { type EndEvent, TEXT_CHARS_MAX } from "../channel-end.js";
import { element } from "./dom.js";
import { EndCard, type EndTitle } from "./end-card.js";
import { ExchangeSteps } from "./exchange-steps.js";
import { MessageList } from "./message-list.js";

/** Which of the two ends, in the order of the page. */
export type EndIndex = 0 | 1;

export interface PanelTitle {
  readonly name: string;
  /** What carries the frames. */
  readonly link: string;
  readonly about: string;
  readonly ends: readonly [EndTitle, EndTitle];
}

export class Panel {
  readonly root: HTMLElement;
  readonly #cards: readonly [EndCard, EndCard];
  readonly #steps: ExchangeSteps;
  readonly #messages: MessageList;
  readonly #input = element("input", {
    autocomplete: "off",
    maxlength: String(TEXT_CHARS_MAX),
    value: "Hello, harbour",
  });
  readonly #buttons: readonly [HTMLButtonElement, HTMLButtonElement];
  readonly #fault = element("p", { class: "fault", role: "alert", hidden: "" });
  #ping: (from: EndIndex, text: string) => void = () => undefined;
  #greeted = false;

  constructor({ name, link, about, ends }: PanelTitle) {
    this.#cards = [new EndCard(ends[0]), new EndCard(ends[1])];
    this.#steps = new ExchangeSteps(link);
    this.#messages = new MessageList(ends[0].name, ends[1].name);
    const button = (from: EndIndex, text: string) => {
      const made = element("button", { type: "button", disabled: "" }, text);
      made.addEventListener("click", () => this.#send(from));
      return made;
    };
    this.#buttons = [button(0, `${ends[0].name} → ${ends[1].name}`), button(1, `${ends[1].name} → ${ends[0].name}`)];
    const form = element("form", {}, element("label", {}, "Message ", this.#input), ...this.#buttons);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(0);
    });
    this.root = element(
      "section",
      { class: "panel", "aria-label": name },
      element("h2", {}, name),
      element("p", { class: "hint" }, about),
      element("div", { class: "ends" }, this.#cards[0].root, this.#steps.root, this.#cards[1].root),
      this.#fault,
      form,
      this.#messages.root,
    );
  }

  identify(end: EndIndex, id: string): void {
    this.#cards[end].identify(id);
  }

  onPing(ping: (from: EndIndex, text: string) => void): void {
    this.#ping = ping;
  }

  observe(end: EndIndex, event: EndEvent): void {
    switch (event.type) {
      case "state":
        this.#cards[end].show(event.state);
        this.#buttons[end].disabled = !event.state.open;
        this.#greetOnce();
        break;
      case "exchange":
        this.#steps.note(end, event.step, event.bytes);
        break;
      case "sealed":
      case "opened":
        this.#messages.note(end, event);
        break;
      case "refused":
        this.#cards[end].refused(event.code);
        break;
      default:
        event satisfies never;
    }
  }

  fail(error: unknown): void {
    this.#fault.hidden = false;
    this.#fault.textContent = error instanceof Error ? error.message : String(error);
    for (const button of this.#buttons) button.disabled = true;
  }

  #send(from: EndIndex): void {
    if (!this.#buttons[from].disabled && this.#input.value !== "") this.#ping(from, this.#input.value);
  }

  /** The first message goes out by itself, once both ends have keys. */
  #greetOnce(): void {
    if (this.#greeted || this.#buttons.some(({ disabled }) => disabled)) return;
    this.#greeted = true;
    this.#send(0);
  }
}
