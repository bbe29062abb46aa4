"""The policy of a ledger: how many must approve a batch, and whose signatures count.

It is a chain of revisions. The first that asks for approvals needs no signature; each one after it
must be signed by as many persons as the one before it asks for, so that who prepares a batch cannot
turn the policy off, nor register a second key or give a standing permission for oneself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import attrs

from dgspay.errors import ConfigError
from dgspay.payouts.approval.signing import Document, PublicKey, Signature, canonical
from dgspay.payouts.model.permissions import Permission
from dgspay.payouts.model.spellings import reference_key

_MOST_APPROVALS = 9


@attrs.frozen(kw_only=True)
class Policy:
    """What a batch needs before it is paid.

    Attributes:
        approvals: How many persons must approve it; 0 where none has to.
        limit: What may be paid without approval within any 24 hours, in RWF, all batches together.
        self_approval: Whether who prepared a batch may approve it, too.
        keys: The registered keys.
        permissions: What may repeat on purpose, without being allowed row by row.
    """

    approvals: int = 0
    limit: int = 0
    self_approval: bool = False
    keys: tuple[PublicKey, ...] = ()
    permissions: tuple[Permission, ...] = ()

    @property
    def quorum(self) -> int:
        """How many persons must sign a change of this policy."""
        if not self.approvals:
            return 0
        return self.approvals if self.self_approval else self.approvals + 1

    @property
    def persons(self) -> list[str]:
        """Who has a key, each once."""
        return [*{reference_key(key.person): key.person for key in self.keys}.values()]

    def key(self, identity: str) -> PublicKey | None:
        """Return a registered key by its id."""
        return next((key for key in self.keys if key.id == identity), None)

    def with_key(self, key: PublicKey) -> Policy:
        """Return it with one more key.

        Raises:
            ConfigError: the key is registered already.
        """
        known = self.key(key.id)
        if known is not None:
            raise ConfigError(f"this key is registered already, for {known.person}")
        return attrs.evolve(self, keys=(*self.keys, key))

    def without_key(self, name: str) -> Policy:
        """Return it without the keys of a person, or without one key by its id.

        Raises:
            ConfigError: there is no such key.
        """
        same = reference_key(name)
        left = tuple(
            key for key in self.keys if key.id != name and reference_key(key.person) != same
        )
        if len(left) == len(self.keys):
            raise ConfigError(f"no registered key is of {name!r}, nor has that id")
        return attrs.evolve(self, keys=left)

    def with_permission(self, permission: Permission) -> Policy:
        """Return it with one more standing permission.

        Raises:
            ConfigError: there is one of this pattern.
        """
        if any(known.pattern == permission.pattern for known in self.permissions):
            raise ConfigError(
                f"there is a standing permission of the pattern {permission.pattern}: withdraw it "
                "first"
            )
        return attrs.evolve(self, permissions=(*self.permissions, permission))

    def without_permission(self, pattern: str) -> Policy:
        """Return it without a standing permission.

        Raises:
            ConfigError: there is none of this pattern.
        """
        left = tuple(known for known in self.permissions if known.pattern != pattern)
        if len(left) == len(self.permissions):
            raise ConfigError(f"there is no standing permission of the pattern {pattern!r}")
        return attrs.evolve(self, permissions=left)

    def given_by(self, person: str, before: Policy) -> Policy:
        """Return it with the person in each permission that the policy before it does not have."""
        return attrs.evolve(
            self,
            permissions=tuple(
                known if known in before.permissions else attrs.evolve(known, given_by=person)
                for known in self.permissions
            ),
        )

    def require_sound(self) -> None:
        """Refuse a policy that could not be kept, nor changed ever again.

        Raises:
            ConfigError: saying what is wrong.
        """
        if not 0 <= self.approvals <= _MOST_APPROVALS:
            raise ConfigError(f"approvals must be a number from 0 to {_MOST_APPROVALS}")
        if self.limit < 0:
            raise ConfigError("the limit must be an amount in RWF, or 0")
        if len(self.persons) < self.quorum:
            raise ConfigError(
                f"this policy needs keys of {self.quorum} persons, and has those of "
                f"{len(self.persons)}: register them first with `dgspay payouts policy add-key`"
            )

    @property
    def document(self) -> str:
        """The policy as it is kept and signed."""
        found = attrs.asdict(self)
        if not self.permissions:
            # As it was written before there were any, and is noted by machines that have seen it.
            del found["permissions"]
        return json.dumps(found, sort_keys=True, separators=(",", ":"))

    @classmethod
    def read(cls, document: str) -> Policy:
        """Return a policy from its document.

        Raises:
            ValueError: it is none.
        """
        try:
            found = json.loads(document)
            return cls(
                approvals=int(found["approvals"]),
                limit=int(found["limit"]),
                self_approval=bool(found["self_approval"]),
                keys=tuple(PublicKey.parse(key["person"], key["text"]) for key in found["keys"]),
                permissions=tuple(map(Permission.read, found.get("permissions", ()))),
            )
        except (KeyError, TypeError, ConfigError) as error:
            raise ValueError(f"no policy: {type(error).__name__}") from None


@attrs.frozen
class Revision:
    """A policy as it was proposed.

    Attributes:
        number: From 1.
        document: The policy.
        signatures: Of those who agree.
    """

    number: int
    document: str
    signatures: tuple[Signature, ...] = ()


@attrs.frozen(kw_only=True)
class PolicyState:
    """The policy in force, and a change of it that waits for signatures.

    Attributes:
        policy: The one in force.
        revision: Its number; 0 where none was ever set.
        digest: Of it and all before it.
        pending: A change that waits for signatures.
        pending_signers: Who has signed that.
        broken: Why the chain cannot be trusted, or None.
    """

    policy: Policy = attrs.field(factory=Policy)
    revision: int = 0
    digest: str = ""
    pending: Policy | None = None
    pending_signers: tuple[str, ...] = ()
    broken: str | None = None

    def change_of(self, ledger: str, document: str) -> Document:
        """Return what is signed by those who agree to a change of the policy in force."""
        return {
            "purpose": "policy",
            "ledger": ledger,
            "revision": self.revision + 1,
            "digest": _digest(self.digest, document),
        }


def state_of(ledger: str, revisions: Sequence[Revision]) -> PolicyState:
    """Walk through the revisions of a ledger's policy; each must have the signatures it needs."""
    state = PolicyState()
    for revision in revisions:
        try:
            policy = Policy.read(revision.document)
        except ValueError:
            return attrs.evolve(state, broken=f"revision {revision.number} of the policy is none")
        if revision.number != state.revision + 1:
            return attrs.evolve(
                state, broken=f"revision {state.revision + 1} of the policy is missing"
            )
        signers = _signers(state, ledger, revision)
        if len(signers) < state.policy.quorum:
            if revision is not revisions[-1]:
                return attrs.evolve(
                    state,
                    broken=f"revision {revision.number} of the policy lacks signatures of those "
                    "who had to agree",
                )
            return attrs.evolve(state, pending=policy, pending_signers=tuple(signers))
        state = PolicyState(
            policy=policy,
            revision=revision.number,
            digest=_digest(state.digest, revision.document),
        )
    return state


def _signers(state: PolicyState, ledger: str, revision: Revision) -> list[str]:
    asked = state.change_of(ledger, revision.document)
    found = {}
    for signature in revision.signatures:
        key = state.policy.key(signature.key)
        if key is None or not signature.is_of(key):
            continue
        if signature.document == canonical({**asked, "person": key.person}):
            found[reference_key(key.person)] = key.person
    return [*found.values()]


def _digest(previous: str, document: str) -> str:
    return hashlib.sha256(f"{previous}\n{document}".encode()).hexdigest()
