/** Builds elements; what it is given is text, never markup. */

/** @param {string} tag @param {Record<string, string>} attributes @param {...any} children */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * A button that does something. Its name is its words and what it is about, as there are many with
 * the same words; together they find it again when its row is drawn anew.
 */
export function button(words, about, onClick, kind = "") {
  const name = `${words} ${about}`;
  const element = h("button", {
    class: `small ${kind}`, type: "button", "data-key": name, "aria-label": name }, words);
  element.addEventListener("click", onClick);
  return element;
}

/** The rows of a list, or one that says that there are none. */
export function list(all, row, nothing) {
  return all.length > 0 ? all.map(row) : [h("li", { class: "empty" }, nothing)];
}
