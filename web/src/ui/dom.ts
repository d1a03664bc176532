/** The little that we need above the DOM itself. */

type Attributes = Record<string, string | number | boolean | undefined>;

export type Child = Node | string | undefined;

/** Makes an element. An attribute that is `undefined` or `false` is left out, `true` is written without a value. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** Text that is heard and not seen. */
export function heard(text: string): HTMLElement {
  return h("span", { class: "heard" }, text);
}

/** Writes a text if it is another one: what does not change costs no layout. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows or hides an element. */
export function show(element: HTMLElement, visible: boolean): void {
  if (element.hidden === visible) element.hidden = !visible;
}

/** Whether the reader wants things to stay where they are. */
export function wantsCalm(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
