"""Trials of mutmut's changes to a file, each in a fork of one pytest that has collected the tests.

mutmut would start pytest for each change, which takes longer than most of the tests. Here a fork
runs the tests that reach the changed function, the quickest first, until one fails. What it may
take is counted in seconds of the processor: a busy machine is not taken for an endless loop.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import sys
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from mutmut.configuration import config
from mutmut.mutation.data import MutantLineSpans
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

COPY = Path("mutants")
COPIED = ("dgspay", "tests", "README.md", "LICENSE", "pyproject.toml")
KILLED = "killed"

_FORK = multiprocessing.get_context("fork")
# In seconds of the processor, and of a clock for what waits for ever.
_LEAST = 10
_LONGEST_WAIT = 120


class _Trials:
    """A plugin of pytest's: it runs the tests once, and then those that reach each change.

    Attributes:
        outcome: How each change fared, by its name.
    """

    def __init__(self, changes: Sequence[str], first: Sequence[str]) -> None:
        self.outcome: dict[str, str] = {}
        self._changes = changes
        self._first = first
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._failure = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] += report.duration
        if report.failed:
            self._failure = f"{report.nodeid}\n{report.longreprtext}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("not all tests could be collected")
        items = {item.nodeid: item for item in session.items}
        reaching = self._reaching(session.items)
        for count, change in enumerate(self._changes):
            if count % 50 == 0:
                print(f"{count} of {len(self._changes)}", file=sys.stderr, flush=True)
            tests = reaching.get(change.rpartition("__mutmut_")[0], [])
            self.outcome[change] = self._try(change, [items[test] for test in tests])
        return True

    def _reaching(self, items: list[pytest.Item]) -> dict[str, list[str]]:
        """Run all tests in a fork; return those that reach each function, as they are to be run."""
        receiving, sending = _FORK.Pipe(duplex=False)
        process = _FORK.Process(target=self._report_reached, args=(items, sending))
        process.start()
        sending.close()
        reached, self._seconds, failure = receiving.recv()
        process.join()
        if failure:
            raise pytest.UsageError(f"a test fails although nothing was changed: {failure}")
        reaching: defaultdict[str, list[str]] = defaultdict(list)
        for test in sorted(reached, key=self._urgency):
            for function in reached[test]:
                reaching[function].append(test)
        return reaching

    def _urgency(self, test: str) -> tuple[bool, float]:
        return not test.startswith(tuple(self._first)), self._seconds[test]

    def _report_reached(self, items: list[pytest.Item], sending: Connection) -> None:
        _silence()
        set_mutant_under_test("stats")
        reached: dict[str, set[str]] = {}
        for item, following in pairwise([*items, None]):
            assert item is not None
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            reached[item.nodeid] = set(state()._stats)  # noqa: SLF001 - no other way to ask
            state()._stats.clear()  # noqa: SLF001
        sending.send((reached, self._seconds, self._failure))

    def _try(self, change: str, items: list[pytest.Item]) -> str:
        if not items:
            return "not reached by a test"
        seconds = sum(self._seconds[item.nodeid] for item in items)
        process = _FORK.Process(target=self._run_changed, args=(change, items, seconds))
        process.start()
        process.join(_LONGEST_WAIT + 20 * seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
        code = process.exitcode
        assert code is not None
        return "survived" if code == 0 else KILLED if code > 0 else "out of time"

    def _run_changed(self, change: str, items: list[pytest.Item], seconds: float) -> None:
        _silence()
        limit = _LEAST + round(5 * seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        set_mutant_under_test(change)
        for item, following in pairwise([*items, None]):
            assert item is not None
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failure:
                # Without waiting for what the changed code may have left behind.
                os._exit(1)
        os._exit(0)


def _silence() -> None:
    """Send to nowhere what the tests and pytest print."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _run(source: Path, first: Sequence[str], tests: Sequence[str], sending: Connection) -> None:
    changed = mutate_file_contents(str(source), source.read_text(encoding="utf-8"))
    (COPY / source).write_text(changed.code, encoding="utf-8")
    # Without it a diff takes seconds.
    MutantLineSpans(path=source, span_by_function_name=changed.line_span_by_function_name).save()
    module = ".".join(source.with_suffix("").parts).removesuffix(".__init__")
    os.chdir(COPY)
    here = str(Path.cwd())
    sys.path[:] = [here, *(path for path in sys.path if Path(path).resolve() != Path(here).parent)]
    trials = _Trials([f"{module}.{name}" for name in changed.mutant_names], first)
    # Nothing is captured: what a fork prints goes to nowhere.
    options = (
        "--rootdir=.",
        "--capture=no",
        "-p",
        "no:cacheprovider",
        *config().pytest_add_cli_args,
    )
    if pytest.main([*options, *first, *tests], plugins=[trials]) == 0:
        sending.send(trials.outcome)


def try_changes(source: Path, first: Sequence[str], tests: Sequence[str]) -> dict[str, str]:
    """Make every change to a file in a copy of the project, and return how each fared, by its name.

    Args:
        source: The file.
        first: The test files to begin with.
        tests: Further test files and folders.

    Raises:
        RuntimeError: the tests cannot be run, or fail although nothing was changed.
    """
    shutil.rmtree(COPY, ignore_errors=True)
    for name in COPIED:
        if Path(name).is_dir():
            shutil.copytree(name, COPY / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            COPY.mkdir(exist_ok=True)
            shutil.copy(name, COPY / name)
    receiving, sending = _FORK.Pipe(duplex=False)
    # A process of its own, which imports the changed copy: this one goes on to the next file.
    process = _FORK.Process(target=_run, args=(source, first, tests, sending))
    process.start()
    sending.close()
    try:
        outcome: dict[str, str] = receiving.recv()
    except EOFError:
        raise RuntimeError(f"the tests of {source} could not be run") from None
    finally:
        process.join()
    return outcome
