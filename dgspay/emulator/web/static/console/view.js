/** What is looked at, as the address has it: `#transactions?search=jane&status=failed`. */

const FIRST_SHOWN = 50;

/** How many rows one press of "Show more" adds, and how many a page shows at most. */
export const MORE = 100;
export const MOST_SHOWN = 1000;

/** @returns {{ tab: string, search: string, status: string, payment: string, count: number }} */
export function currentView() {
  const [tab, query] = location.hash.slice(1).split("?");
  const wanted = new URLSearchParams(query ?? "");
  const count = Number(wanted.get("count")) || FIRST_SHOWN;
  return {
    tab,
    search: wanted.get("search") ?? "",
    status: wanted.get("status") ?? "",
    payment: wanted.get("payment") ?? "",
    count: Math.min(Math.max(count, FIRST_SHOWN), MOST_SHOWN),
  };
}

/** The address of a view that differs from the current one. */
export function addressOf(changes) {
  const { tab, ...query } = { ...currentView(), ...changes };
  if (query.count === FIRST_SHOWN) delete query.count;
  const said = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  return `#${tab}${said.size > 0 ? `?${said}` : ""}`;
}

/** Change the view in place: typing a search leaves no trail of addresses behind. */
export function changeView(changes) {
  history.replaceState(null, "", addressOf(changes));
}
