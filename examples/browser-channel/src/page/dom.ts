/** The few lines of DOM this page needs. Text is always set as text, never as markup. */

type Children = readonly (Node | string)[];

/** @param attributes - As in HTML; `class` included. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: Children
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
