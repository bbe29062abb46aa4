"""What may happen to one call, made from a seed; and whether what was claimed of it is true."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Literal

import attrs

from dgspay import Outcome
from dgspay.emulator import Emulator
from tests.system.network_faults.proxy_faults import (
    NOTHING,
    Bandwidth,
    Corruption,
    Cut,
    Down,
    Fault,
    Latency,
    Limit,
    Reset,
    SentOnTwice,
    Slicer,
    SlowClose,
    Timeout,
    Way,
)

Start = Literal["cold", "warm", "stale"]

# Through the last byte of any request or answer here, and somewhat further.
_LONGEST = 700


def _size(random: Random) -> int:
    """Draw a place in a message; its beginning more often, where the framing is."""
    return random.choice([0, 1, random.randrange(60), random.randrange(_LONGEST)])


_FAULTS: dict[str, Callable[[Random, Way], Fault]] = {
    "nothing": lambda random, way: NOTHING,
    "latency": lambda random, way: Latency(way=way, seconds=random.choice([0.005, 0.03, 0.13])),
    "down": lambda random, way: Down(),
    "bandwidth": lambda random, way: Bandwidth(
        way=way, bytes_per_second=random.choice([3000, 20_000, 100_000])
    ),
    "slow close": lambda random, way: SlowClose(way=way, seconds=random.choice([0.01, 0.05])),
    "timeout": lambda random, way: Timeout(way=way, seconds=random.choice([0.01, 0.13])),
    "reset": lambda random, way: Reset(way=way, size=_size(random)),
    "slicer": lambda random, way: Slicer(way=way, size=random.choice([1, 7, 50])),
    "limit": lambda random, way: Limit(way=way, size=_size(random)),
    "destroyed byte": lambda random, way: Corruption(way=way, at=_size(random)),
    "cut answer": lambda random, way: Cut(size=_size(random)),
    "sent on twice": lambda random, way: SentOnTwice(),
}

CALLS = ("read", "charge", "card", "pin", "otp", "link", "disburse", "convert")

COMBINATIONS = len(_FAULTS) * len(CALLS)


@attrs.frozen
class Case:
    """A run, all of which follows from its seed.

    Attributes:
        seed: A number; as many in a row as there are `COMBINATIONS` meet every fault with
            every call.
        call: What is called.
        fault: What the proxy does.
        lasts: After how many attempts the fault is over.
        start: Whether the connection is new, in use already, or closed while it was idle.
        trusting: Whether the client trusts idempotency keys.
        honoured: Whether the server honours them; if not, each request that arrives is done.
        gives_up_after: Seconds after which asynchronous code cancels the call.
    """

    seed: int
    call: str
    fault: Fault
    lasts: int
    start: Start
    trusting: bool
    honoured: bool
    gives_up_after: float | None

    @classmethod
    def of(cls, seed: int) -> Case:
        """Make a case from its seed."""
        random = Random(seed)
        name = list(_FAULTS)[seed // len(CALLS) % len(_FAULTS)]
        way: Way = random.choice(["request", "answer", "answer"])
        trusting = random.random() < 0.4
        fault = _FAULTS[name](random, way)
        return cls(
            seed=seed,
            call=CALLS[seed % len(CALLS)],
            fault=fault,
            lasts=random.choice([1, 1, 2, 99]),
            start=random.choice(["cold", "warm", "stale"]),
            trusting=trusting,
            # What is sent on twice under a key that means nothing is done twice, and not by us.
            honoured=trusting or isinstance(fault, SentOnTwice) or random.random() < 0.5,
            gives_up_after=random.uniform(0.0, 0.05) if random.random() < 0.15 else None,
        )

    @property
    def amount(self) -> int:
        """What nobody else in the storm pays, so that the payment is known by it."""
        return 1000 + self.seed


@attrs.frozen
class Claim:
    """What the client said of a run.

    Attributes:
        outcome: As its exception said, or COMPLETED; of a cancelled call, as its hook was told.
        reference: What the answer called it.
        wrong: What is wrong with the claim itself, whatever was done.
    """

    outcome: Outcome
    reference: str | None = None
    wrong: str | None = None


@attrs.frozen
class Run:
    """A case, the reference of the payment it was about, and what was claimed of it."""

    case: Case
    authorized: str | None
    claim: Claim


Done = dict[object, list[str]]


def done_by(emulator: Emulator) -> Done:
    """What was really done, by what it is known by: the references it got, each time."""
    titles = {link.id: link.terms["title"] for link in emulator.links}
    done: Done = {}
    for deed in emulator.executed:
        match deed.operation:
            case "POST /authorize":
                known_by: object = (deed.operation, deed.reference)
            case "POST /payment-links":
                known_by = (deed.operation, titles[deed.reference])
            case _:
                known_by = (deed.operation, deed.amount)
        done.setdefault(known_by, []).append(deed.reference)
    return done


def _known_by(run: Run) -> object:
    amount = run.case.amount
    match run.case.call:
        case "charge" | "card":
            return "POST /charges", amount
        case "disburse":
            return "POST /disburse", amount
        case "convert":
            return "POST /convert", amount
        case "link":
            return "POST /payment-links", f"Invoice {amount}"
        case _:
            return "POST /authorize", run.authorized


def wrong_with(run: Run, done: Done) -> str | None:
    """Say what was claimed of a run and is not true, or None."""
    claim, case = run.claim, run.case
    if claim.wrong is not None:
        return f"{claim.wrong} ({case})"
    if case.call == "read":
        return None
    references = done.get(_known_by(run), [])
    # Before an OTP comes the PIN: given past the proxy, under the same reference.
    times = len(references) - (case.call == "otp")
    if times > 1:
        return f"it was done {times} times ({case})"
    if times and claim.outcome in (Outcome.NOT_SENT, Outcome.REJECTED):
        return f"it was done, and the client says {claim.outcome} ({case})"
    if claim.outcome is Outcome.COMPLETED and claim.reference not in references:
        return f"the client says {claim.reference} was done, and it was not ({case})"
    return None
