"""The policy's chain: who prepares can neither turn it off nor register a second key alone."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from dgspay.errors import ConfigError
from dgspay.payouts import Policy, PolicyState, Signer
from dgspay.payouts.approval.policy import Revision, state_of
from tests.support.signers import ALICE, BOB, CAROL, signer, two_eyes

pytestmark = pytest.mark.acceptance(107, "approval-broken")

OFF = Policy(keys=(ALICE.key, BOB.key, CAROL.key))


def proposed(revisions: list[Revision], policy: Policy, *signers: Signer) -> list[Revision]:
    state = state_of("L", revisions)
    asked = state.change_of("L", policy.document)
    signatures = tuple(signer.sign(asked) for signer in signers)
    return [*revisions, Revision(state.revision + 1, policy.document, signatures)]


def in_force() -> list[Revision]:
    return proposed([], two_eyes(Policy()))


def test_the_first_policy_needs_no_signature_and_a_change_of_it_needs_two_persons() -> None:
    revisions = in_force()
    assert state_of("L", revisions).policy == two_eyes(Policy())
    by_one = state_of("L", proposed(revisions, OFF, ALICE))
    assert (by_one.policy.approvals, by_one.pending, by_one.pending_signers) == (1, OFF, ("Alice",))
    by_two = state_of("L", proposed(revisions, OFF, ALICE, BOB))
    assert (by_two.policy, by_two.revision, by_two.pending) == (OFF, 2, None)


@pytest.mark.parametrize(
    "others",
    [
        (),
        (ALICE, ALICE),
        (ALICE, signer("Alice", "second")),
        (ALICE, signer("Mallory")),
        (ALICE, signer("Bob", "forged")),
    ],
    ids=["nobody", "twice", "a second key", "a stranger", "a forged name"],
)
def test_signatures_of_one_person_or_of_strangers_change_nothing(
    others: tuple[Signer, ...],
) -> None:
    state = state_of("L", proposed(in_force(), OFF, *others))
    assert state.policy.approvals == 1
    assert state.pending == OFF


def test_a_signature_of_another_change_counts_for_none() -> None:
    other = attrs.evolve(two_eyes(Policy()), limit=5)
    signatures = proposed(in_force(), other, ALICE, BOB)[-1].signatures
    forged = [*in_force(), Revision(2, OFF.document, signatures)]
    assert state_of("L", forged).policy.approvals == 1
    # Nor does one that was given in another ledger, or of an earlier revision.
    again = proposed(proposed(in_force(), OFF, ALICE, BOB), two_eyes(Policy()))
    assert state_of("L", [*again, Revision(4, OFF.document, again[1].signatures)]).policy.approvals
    assert state_of("M", [*in_force(), *proposed(in_force(), OFF, ALICE, BOB)[1:]]).policy.approvals


BREAKS: dict[str, Callable[[list[Revision]], list[Revision]]] = {
    "without signatures": lambda found: [found[0], attrs.evolve(found[1], signatures=()), found[2]],
    "removed": lambda found: [found[0], found[2]],
    "no policy": lambda found: [attrs.evolve(found[0], document="{}"), *found[1:]],
    "changed": lambda found: [attrs.evolve(found[0], document=OFF.document), *found[1:]],
}


@pytest.mark.parametrize("case", BREAKS)
def test_a_chain_that_was_edited_is_broken_or_keeps_what_was_in_force(case: str) -> None:
    stricter = attrs.evolve(two_eyes(Policy()), approvals=2)
    revisions = proposed(in_force(), stricter, ALICE, BOB)
    revisions = proposed(revisions, OFF, ALICE, BOB, CAROL)
    state = state_of("L", BREAKS[case](revisions))
    if case == "changed":
        # The digest of all revisions differs: a machine that has noted it refuses to pay.
        assert state.digest != state_of("L", revisions).digest
    else:
        assert state.broken is not None


def test_a_policy_that_could_never_be_changed_again_is_refused() -> None:
    with pytest.raises(ConfigError, match="keys of 2 persons, and has those of 1"):
        Policy(approvals=1, keys=(ALICE.key, signer("ALICE", "second").key)).require_sound()
    Policy(approvals=1, keys=(ALICE.key,), self_approval=True).require_sound()
    for odd in (Policy(approvals=10), Policy(approvals=-1), Policy(limit=-1)):
        with pytest.raises(ConfigError, match="must be"):
            odd.require_sound()


def test_keys_are_registered_once_and_removed_by_name_or_id() -> None:
    policy = OFF.with_key(signer("Bob", "second").key)
    with pytest.raises(ConfigError, match="already, for Bob"):
        policy.with_key(signer("Bob", "second").key)
    assert policy.persons == ["Alice", "Bob", "Carol"]
    assert policy.without_key("bob").persons == ["Alice", "Carol"]
    assert len(policy.without_key(BOB.key.id).keys) == 3
    with pytest.raises(ConfigError, match="no registered key"):
        policy.without_key("Dan")


def test_no_policy_is_off() -> None:
    assert state_of("L", []) == PolicyState()
    assert Policy().quorum == 0
    assert Policy.read(two_eyes(Policy()).document) == two_eyes(Policy())
