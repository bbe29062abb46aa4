"""What may happen to one call, made from a seed; and whether what was claimed of it is true."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Literal

import attrs

from dgspay import Outcome
from dgspay.emulator import Emulator
from tests.system.network_faults.proxy import Route
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
from tests.system.network_faults.proxy_messages import (
    FORGED,
    FORGERIES,
    NO_TUNNEL,
    Duplicated,
    InFlight,
    NoTunnel,
    SecondAnswer,
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
    "duplicated": lambda random, way: Duplicated(
        way="request", when=random.choice(["before", "beside", "after"])
    ),
    "in flight": lambda random, way: InFlight(),
    "second answer": lambda random, way: SecondAnswer(kind=random.choice(list(FORGERIES))),
    "no tunnel": lambda random, way: NoTunnel(
        kind=random.choice(list(NO_TUNNEL)), end_with=random.choice(["close", "reset", "silence"])
    ),
}

# What is done twice by these, under a key that means nothing, is not done twice by us. And who says
# that a key is in use knows keys.
_HONOURED = (SentOnTwice, Duplicated, InFlight)

CALLS = ("read", "charge", "card", "pin", "otp", "link", "disburse", "convert")

COMBINATIONS = len(_FAULTS) * len(CALLS)


_STARTS: dict[str, tuple[Start, ...]] = {
    # Another answer is behind that to the call before.
    "second answer": ("warm",),
    # A connection that is open needs no tunnel.
    "no tunnel": ("cold", "cold", "warm", "stale"),
}


def _route(fault: str, random: Random) -> Route:
    drawn: Route = random.choice(["plain", "plain", "tls", "tunnel"])
    if fault == "no tunnel":
        return "tunnel"
    return (
        "tls" if fault == "second answer" and drawn == "plain" and random.random() < 0.5 else drawn
    )


# As a client tries by default.
_ATTEMPTS = 3


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
        route: How the client comes to the server.
        alarm_after: Seconds after which an alarm raises in blocking code.
        forks_after: Seconds after which the program forks, and its child makes a call, too.
    """

    seed: int
    call: str
    fault: Fault
    lasts: int
    start: Start
    trusting: bool
    honoured: bool
    gives_up_after: float | None
    route: Route
    alarm_after: float | None
    forks_after: float | None

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
            lasts=random.choice([1, 1, 2, 99] if name != "no tunnel" else [2, 99]),
            start=random.choice(_STARTS.get(name, ("cold", "warm", "stale"))),
            trusting=trusting,
            honoured=trusting or isinstance(fault, _HONOURED) or random.random() < 0.5,
            gives_up_after=random.uniform(0.0, 0.05) if random.random() < 0.15 else None,
            route=_route(name, random),
            alarm_after=random.uniform(0.0001, 0.03) if random.random() < 0.1 else None,
            forks_after=random.uniform(0.0, 0.01) if random.random() < 0.05 else None,
        )

    @property
    def can_never_leave(self) -> bool:
        """Whether no byte of the call can leave, however often it is tried."""
        is_refused = isinstance(self.fault, NoTunnel) and self.lasts > _ATTEMPTS
        is_left_alone = self.gives_up_after is None and self.alarm_after is None
        return is_refused and self.start == "cold" and is_left_alone

    @property
    def is_looked_after(self) -> bool:
        """Whether the client is asked once more: something may have been left behind in it."""
        interrupts = (self.alarm_after, self.forks_after) != (None, None)
        return interrupts or isinstance(self.fault, SecondAnswer)

    @property
    def amount(self) -> int:
        """An amount no other call in the storm pays, so that the payment is known by it."""
        return 1000 + self.seed


@attrs.frozen
class Claim:
    """What the client said of a run.

    Attributes:
        outcome: As its exception said, or COMPLETED; of a call that was cancelled or interrupted,
            as its hook was told.
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
    wrong = run.claim.wrong or _wrong_by_itself(run) or _wrong_by_what_was_done(run, done)
    return None if wrong is None else f"{wrong} ({run.case})"


def _wrong_by_itself(run: Run) -> str | None:
    claim = run.claim
    if run.case.can_never_leave and claim.outcome is not Outcome.NOT_SENT:
        return f"nothing can have left, and the client says {claim.outcome}"
    if claim.reference == FORGED:
        return "another answer was taken for this call's"
    return None


def _wrong_by_what_was_done(run: Run, done: Done) -> str | None:
    claim, case = run.claim, run.case
    if case.call == "read":
        return None
    references = done.get(_known_by(run), [])
    # Before an OTP comes the PIN: given past the proxy, under the same reference.
    times = len(references) - (case.call == "otp")
    if times > 1:
        return f"it was done {times} times"
    if times and claim.outcome in (Outcome.NOT_SENT, Outcome.REJECTED):
        return f"it was done, and the client says {claim.outcome}"
    # Interrupted just before it returns, a call has no reference to report.
    is_told = claim.reference in references or (claim.reference is None and times)
    if claim.outcome is Outcome.COMPLETED and not is_told:
        return f"the client says {claim.reference} was done, and it was not"
    return None
