/** Rows that change while a person works with them: none slides under the pointer. */

/**
 * The rows of one element. While the mouse is over them, rows keep their places: one that is gone
 * stays, and can do nothing; one that is new waits until the mouse has left, unless it comes last.
 */
class LiveRows {
  #element;
  #drawn = new Map();
  #latest = null;
  #isHovered = false;

  constructor(element) {
    this.#element = element;
    element.addEventListener("pointerenter", ({ pointerType }) => {
      this.#isHovered = pointerType === "mouse";
    });
    element.addEventListener("pointerleave", () => {
      this.#isHovered = false;
      if (this.#latest) this.#show(this.#latest);
    });
  }

  show(wanted) {
    const isOtherView = wanted.view !== this.#latest?.view;
    this.#latest = wanted;
    if (this.#isHovered && !isOtherView && this.#drawn.size > 0) this.#hold(wanted);
    else this.#show(wanted);
  }

  #show({ rows, key, draw, shown }) {
    this.#keepFocus(() => {
      const before = this.#drawn;
      this.#drawn = new Map(rows.map((row) => [key(row), this.#rowOf(before, row, key, draw)]));
      for (const [name, { element }] of before) {
        if (this.#drawn.get(name)?.element !== element) element.remove();
      }
      // Only what is out of place is moved: what has the focus keeps it.
      let place = this.#element.firstElementChild;
      for (const { element } of this.#drawn.values()) {
        element.inert = false;
        if (element === place) place = place.nextElementSibling;
        else this.#element.insertBefore(element, place);
      }
    });
    shown?.(0);
  }

  #hold({ rows, key, draw, shown }) {
    this.#keepFocus(() => {
      const wanted = new Map(rows.map((row) => [key(row), row]));
      for (const [name, { element }] of this.#drawn) {
        if (wanted.has(name)) {
          const again = this.#rowOf(this.#drawn, wanted.get(name), key, draw);
          if (again.element !== element) element.replaceWith(again.element);
          this.#drawn.set(name, again);
        } else element.inert = true;
      }
      const last = rows.findLastIndex((row) => this.#drawn.has(key(row)));
      shown?.(rows.slice(0, last + 1).filter((row) => !this.#drawn.has(key(row))).length);
      for (const row of rows.slice(last + 1)) {
        const added = this.#rowOf(this.#drawn, row, key, draw);
        this.#drawn.set(key(row), added);
        this.#element.append(added.element);
      }
    });
  }

  /** The element of a row, a new one where the row has changed. */
  #rowOf(before, row, key, draw) {
    const value = JSON.stringify(row);
    const known = before.get(key(row));
    return known?.value === value ? known : { value, element: draw(row) };
  }

  /** What had the focus has it still, or what stands in its place by the same key. */
  #keepFocus(change) {
    const focused = this.#element.contains(document.activeElement) ? document.activeElement : null;
    change();
    if (!focused || document.activeElement === focused) return;
    const again = focused.dataset.key
      && this.#element.querySelector(`[data-key="${CSS.escape(focused.dataset.key)}"]`);
    // What had the focus is done with: the keyboard goes on from here, and presses nothing else.
    if (!again) this.#element.tabIndex = -1;
    (again || this.#element).focus();
  }
}

const lists = new Map();

/**
 * Show rows in an element.
 * @param {Element} element
 * @param {{ rows: object[], key: (row: object) => string, draw: (row: object) => Element,
 *   view?: string, shown?: (waiting: number) => void }} wanted `view` names what was asked for:
 *   another one is shown at once. `shown` is told how many new rows wait until the mouse has left.
 */
export function liveRows(element, wanted) {
  if (!lists.has(element)) lists.set(element, new LiveRows(element));
  lists.get(element).show(wanted);
}
