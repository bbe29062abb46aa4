"""The claims about a call: its CPU, its rate, and that neither suffers from concurrency.

Each contestant is a process of its own on one core, the server another on the other core. In
every round each takes its turn at every concurrency, with connections that are open and warm.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from benchmarks import canned, svg
from benchmarks.children import Child, Cores, child, command, two_cores
from benchmarks.contestants import ASYNC, BLOCKING
from benchmarks.report import RESULTS, Claim, Section, table
from benchmarks.rounds import Spread, ratios, take_turns

CONCURRENCIES = (1, 8, 32, 128, 256)
PEERS = ("aiohttp", "httpx", "httpx2", "requests", "stripe", "openai")
PLOT = Path(RESULTS).with_name("calls.svg")

_LIBRARIES = ("aiohttp", "httpx2", "httpx")
_DASHES = {"raw": "7 5", "stripe": "2 5", "openai": "11 4 2 4", "prototype": "1 3"}

Subject = tuple[str, int]


@attrs.frozen
class Sample:
    """What one turn came to.

    Attributes:
        rate: Calls a second.
        cpu: Seconds of CPU per call, of the contestant's own process.
        server: The share of the time in which the server's core was busy with it.
    """

    rate: float
    cpu: float
    server: float


class Samples:
    """All turns of all subjects, by name and concurrency."""

    def __init__(self, taken: dict[Subject, list[Sample]]) -> None:
        self._taken = taken

    def names(self, among: Sequence[str]) -> list[str]:
        """Return who of these took part."""
        there = {name for name, _ in self._taken}
        return [name for name in among if name in there]

    def rates(self, name: str, concurrency: int = 1) -> list[float]:
        """Calls a second, by round."""
        return [sample.rate for sample in self._taken[name, concurrency]]

    def cpu(self, name: str, concurrency: int = 1) -> list[float]:
        """Seconds of CPU per call, by round."""
        return [sample.cpu for sample in self._taken[name, concurrency]]

    def busiest_server(self) -> tuple[float, Subject]:
        """Return the largest share of a core the server needed, and for whom."""
        shares = {
            subject: Spread.of(sample.server for sample in samples).median
            for subject, samples in self._taken.items()
        }
        busiest = max(shares, key=shares.__getitem__)
        return shares[busiest], busiest


@contextlib.contextmanager
def _workers(
    names: Sequence[str], url: str, cores: Cores
) -> Iterator[tuple[dict[str, Child], dict[str, str]]]:
    """Start everybody; give those who are there, and what the others lack."""
    there: dict[str, Child] = {}
    missing: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        for name in names:
            worker = stack.enter_context(child(command("worker", name, url), core=cores.clients))
            told = worker.listen()
            if "missing" in told:
                missing[name] = told["missing"]
            else:
                there[name] = worker
        yield there, missing


def measure(
    concurrencies: Sequence[int], rounds: int, seconds: float
) -> tuple[Samples, dict[str, str]]:
    """Let all contestants take turns; also return who is missing, and why."""
    cores = two_cores()
    with (
        canned.running(core=cores.server) as server,
        _workers([*ASYNC, *BLOCKING], server.url, cores) as (workers, missing),
    ):

        def turn(subject: Subject) -> Sample:
            name, concurrency = subject
            before = server.cpu_seconds
            used = workers[name].ask({"concurrency": concurrency, "seconds": seconds})
            server_per_call = (server.cpu_seconds - before) / used["calls"]
            return Sample(used["rate"], used["cpu"], used["rate"] * server_per_call)

        # Those of one concurrency stand side by side, for their ratios.
        subjects = [(name, 1) for name in BLOCKING if name in workers]
        subjects += [
            (n, concurrency) for concurrency in concurrencies for n in ASYNC if n in workers
        ]
        return Samples(take_turns(subjects, rounds, turn)), missing


# --- the claims -------------------------------------------------------------------------------


def claims(samples: Samples, concurrencies: Sequence[int]) -> list[Claim]:
    """Hold dgspay to what it promises, as far as those concerned took part."""
    there = set(samples.names([*ASYNC, *BLOCKING]))
    held = [*_of_aiohttp(samples, there), *_of_httpx(samples, there, concurrencies)]
    if {"dgspay, blocking", "httpx.Client"} <= there:
        rate = ratios(samples.rates("dgspay, blocking"), samples.rates("httpx.Client"))
        held.append(
            Claim(
                text="blocking: rate of `httpx.Client`",
                seen=Spread.of(rate),
                target=1.0,
                at_least=True,
            )
        )
    ours = [name for name in samples.names([*ASYNC]) if ASYNC[name].who == "dgspay"]
    return held + [_flatness(samples, name, concurrencies) for name in ours]


def _of_aiohttp(samples: Samples, there: set[str]) -> Iterator[Claim]:
    if {"dgspay on aiohttp", "aiohttp"} <= there:
        cpu = ratios(samples.cpu("dgspay on aiohttp", 32), samples.cpu("aiohttp", 32))
        yield Claim(
            text="on aiohttp, 32 at once: CPU of raw aiohttp", seen=Spread.of(cpu), target=1.35
        )
    if {"dgspay on aiohttp", "stripe, its default"} <= there:
        rate = ratios(
            samples.rates("dgspay on aiohttp", 32), samples.rates("stripe, its default", 32)
        )
        yield Claim(
            text="on aiohttp, 32 at once: rate of stripe-python's async default",
            seen=Spread.of(rate),
            target=10.0,
            at_least=True,
        )


def _of_httpx(samples: Samples, there: set[str], concurrencies: Sequence[int]) -> Iterator[Claim]:
    if not {"dgspay on httpx", "httpx"} <= there:
        return
    cpu = ratios(samples.cpu("dgspay on httpx", 1), samples.cpu("httpx", 1))
    yield Claim(
        text="on httpx, alone: CPU of `await client.post(json=...)` and `json.loads`",
        seen=Spread.of(cpu),
        target=1.0,
    )
    for concurrency in (32, 256):
        if concurrency not in concurrencies:
            continue
        ours = samples.rates("dgspay on httpx", concurrency)
        yield Claim(
            text=f"on httpx, {concurrency} at once: rate of raw httpx",
            seen=Spread.of(ratios(ours, samples.rates("httpx", concurrency))),
            target=2.8,
            at_least=True,
        )


def _flatness(samples: Samples, name: str, concurrencies: Sequence[int]) -> Claim:
    """The dearest concurrency against a call alone; that many at once are cheaper is no fault."""
    alone = samples.cpu(name, concurrencies[0])
    grown = [
        Spread.of(ratios(samples.cpu(name, concurrency), alone))
        for concurrency in concurrencies[1:]
    ]
    return Claim(
        text=f"{name}: CPU per call at its dearest, up to {concurrencies[-1]} at once, "
        "against a call alone",
        seen=max(grown, key=lambda spread: spread.median),
        target=1.2,
    )


# --- the tables and the plot ------------------------------------------------------------------


def _by_concurrency(samples: Samples, concurrencies: Sequence[int], *, cpu: bool) -> str:
    def cell(name: str, concurrency: int) -> str:
        if cpu:
            return f"{Spread.of(samples.cpu(name, concurrency)).median * 1e6:,.0f}"
        return f"{Spread.of(samples.rates(name, concurrency)).median:,.0f}"

    head = ("CPU per call, µs" if cpu else "calls a second", *map(str, concurrencies))
    return table(
        head,
        ((name, *(cell(name, at) for at in concurrencies)) for name in samples.names([*ASYNC])),
    )


def _ratio_table(samples: Samples, concurrency: int) -> str:
    bases = samples.names(["aiohttp", "httpx", "stripe, its default"])

    def row(name: str) -> list[str]:
        cpu = [
            ratios(samples.cpu(name, concurrency), samples.cpu(base, concurrency))
            for base in bases[:2]
        ]
        rate = [
            ratios(samples.rates(name, concurrency), samples.rates(base, concurrency))
            for base in bases[1:]
        ]
        return [name, *(Spread.of(values).show() for values in (*cpu, *rate))]

    head = [
        f"{concurrency} at once",
        *(f"CPU of {base}" for base in bases[:2]),
        *(f"rate of {base}" for base in bases[1:]),
    ]
    return table(head, (row(name) for name in samples.names([*ASYNC])))


def _blocking_table(samples: Samples) -> str:
    def row(name: str) -> tuple[str, ...]:
        cpu, rates = samples.cpu(name), samples.rates(name)
        return (
            name,
            f"{Spread.of(cpu).median * 1e6:,.0f}",
            Spread.of(ratios(cpu, samples.cpu("httpx.Client"))).show(),
            f"{Spread.of(rates).median:,.0f}",
            Spread.of(ratios(rates, samples.rates("httpx.Client"))).show(),
        )

    head = ("blocking, alone", "CPU, µs", "of httpx.Client", "calls a second", "of httpx.Client")
    return table(head, (row(name) for name in samples.names([*BLOCKING])))


def picture(samples: Samples, concurrencies: Sequence[int]) -> str:
    """Draw rate and CPU against concurrency for everybody, as SVG."""

    def lines(*, cpu: bool) -> list[svg.Line]:
        return [
            svg.Line(
                name=name,
                values=[
                    Spread.of(samples.cpu(name, at)).median * 1e6
                    if cpu
                    else Spread.of(samples.rates(name, at)).median
                    for at in concurrencies
                ],
                colour=_LIBRARIES.index(ASYNC[name].library),
                dashes=_DASHES.get(ASYNC[name].who, ""),
                is_ours=ASYNC[name].who == "dgspay",
            )
            for name in samples.names([*ASYNC])
        ]

    return svg.plot(
        "Rate and CPU per call of DGS-Pay, Stripe and OpenAI clients and the libraries beneath",
        "calls at once (orange: aiohttp, green: httpx2, blue: httpx)",
        concurrencies,
        [
            svg.Panel(title="Calls a second: more is better", lines=lines(cpu=False)),
            svg.Panel(title="CPU per call, µs: less is better", lines=lines(cpu=True)),
        ],
    )


def section(*, quick: bool, plot: Path | None) -> Section:
    """Run it; about five minutes, or one if quick."""
    concurrencies = (1, 32, 256) if quick else CONCURRENCIES
    samples, missing = measure(concurrencies, 3 if quick else 5, 0.2 if quick else 0.5)
    if plot is not None:
        plot.write_text(picture(samples, concurrencies), encoding="utf-8")
    share, (name, concurrency) = samples.busiest_server()
    absent = "".join(f"- Not there, and left out: {who} ({why}).\n" for who, why in missing.items())
    text = f"""\
![Rate and CPU per call against concurrency]({PLOT.name})

{_ratio_table(samples, 32)}

Medians at each number of calls at once:

{_by_concurrency(samples, concurrencies, cpu=False)}

{_by_concurrency(samples, concurrencies, cpu=True)}

{_blocking_table(samples)}

- The server was not what they waited for: at most {share:.0%} of its core was busy
  ({name}, {concurrency} at once).
- Everybody is as its own documentation shows it. httpx and httpx2 keep 20 connections alive and
  open 100 by default, aiohttp opens 100, openai sets limits of its own.
- Raw libraries give a dict. dgspay checks what it sends, gives a typed charge with exact amounts,
  and tells its hooks; stripe and openai give objects of their own.
{absent}"""
    return Section(
        name="calls",
        title="Calls",
        claims=claims(samples, concurrencies),
        text=text,
        peers=PEERS,
    )
