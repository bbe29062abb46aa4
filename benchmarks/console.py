"""The claims: over 100,000 payments the console paints in 200 ms and answers a search in 100 ms.

    python -m benchmarks.console [--write benchmarks/console.md]

The emulator serves from this process; the console is opened in a Chromium of its own. It has
painted when the second frame after the first rows begins, counted from the click on the tab, or
from the start of loading for the whole page.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, sync_playwright

from dgspay.emulator import Emulator, Served

ROWS = 100_000
ROUNDS = 15
PAINT_MS = 200
SEARCH_MS = 100

PAINTED = """() => new Promise((resolve) => {
  const rows = document.querySelector("#transactions-rows");
  const began = performance.now();
  const done = () => requestAnimationFrame(() => requestAnimationFrame(
    () => resolve(performance.now() - began)));
  if (rows.childElementCount > 0) rows.replaceChildren();
  new MutationObserver((_, observer) => {
    observer.disconnect();
    done();
  }).observe(rows, { childList: true });
  location.hash = "#transactions?count=51";
})"""
LOADED = """(() => {
  const watch = () => {
    const rows = document.querySelector("#transactions-rows");
    if (!rows?.childElementCount) return requestAnimationFrame(watch);
    requestAnimationFrame(() => { window.paintedAt = performance.now(); });
  };
  requestAnimationFrame(watch);
})()"""

PAINTED_AT = """() => new Promise((resolve) => {
  const look = () => (window.paintedAt === undefined
    ? requestAnimationFrame(look) : resolve(window.paintedAt));
  look();
})"""


@contextmanager
def browser_page() -> Iterator[Page]:
    with sync_playwright() as driver:
        names = ("chromium-headless-shell", "chromium", "chromium-browser")
        executable = next(filter(None, map(shutil.which, names)))
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


def load_times(page: Page, served: Served) -> list[float]:
    """Return milliseconds from the start of loading until the rows are painted."""
    page.add_init_script(LOADED)
    times = []
    for _ in range(ROUNDS):
        page.goto("about:blank")
        page.goto(f"{served.origin}/#transactions")
        times.append(page.evaluate(PAINTED_AT))
    return times


def tab_times(page: Page, served: Served) -> list[float]:
    """Return milliseconds from a click on the tab until its rows are painted."""
    times = []
    for _ in range(ROUNDS):
        page.goto("about:blank")
        page.goto(f"{served.origin}/#overview")
        page.get_by_text("Live", exact=True).wait_for()
        times.append(page.evaluate(PAINTED))
    return times


def search_times(served: Served, searches: list[str]) -> dict[str, list[float]]:
    """Return milliseconds for the answer to each search, over HTTP."""
    times: dict[str, list[float]] = {search: [] for search in searches}
    with httpx.Client(base_url=served.origin, trust_env=False, timeout=60) as client:
        for _ in range(ROUNDS):
            for search, its in times.items():
                query = {"list": "transactions", "search": search}
                started = time.perf_counter()
                answer: Any = client.get("/_emulator/state", params=query)
                its.append((time.perf_counter() - started) * 1000)
                assert answer.json()["list"]["total"] == ROWS
    return times


def report() -> str:
    with Emulator(settle_after=None) as emulator, emulator.serve() as served:
        emulator.generate(ROWS, seed="benchmark")
        reference = emulator.transactions[ROWS // 2].dgs_reference
        searches = search_times(served, [reference, "jean 2000", "nobody", "e"])
        with browser_page() as page:
            paints = {
                "ms until a click on the tab has painted it": tab_times(page, served),
                "ms until the page, opened anew, has painted it": load_times(page, served),
            }
    words = {reference: "a reference", "nobody": "what nobody is called", "e": "a letter all have"}
    figures = paints | {
        f"ms for a search for {words.get(search, f'`{search}`')}": times
        for search, times in searches.items()
    }
    rows = [
        f"| {name} | {statistics.median(times):,.0f} | {min(times):,.0f} | {max(times):,.0f} |"
        for name, times in figures.items()
    ]
    is_held = all(statistics.median(times) < PAINT_MS for times in paints.values()) and all(
        statistics.median(times) < SEARCH_MS for times in searches.values()
    )
    load = f"load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"""# The console's speed

{__doc__.split(chr(10))[0] if __doc__ else ""}

Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, {load}.
{ROUNDS} rounds. The claim is held to the median.

| over {ROWS:,} payments | median | best | worst |
|---|---:|---:|---:|
{chr(10).join(rows)}

The claims are {"held" if is_held else "NOT held"} in this run.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="write the table to this file")
    arguments = parser.parse_args()
    text = report()
    if arguments.write:
        arguments.write.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
