"""Problems of a batch before anything is sent, and their errors.

::

    ConfigError
    ├── RowsInvalidError        rows of the file are wrong; all of them are listed
    ├── PreflightError          the rows are fine, paying them now is not
    ├── BatchChangedError       the file or the settings are not those the batch began with
    ├── BatchBusyError          another process runs this batch at this moment
    ├── BatchClosedError        a person has closed the batch: nothing more of it is sent
    ├── NotCancelledError       the payout had left before it was cancelled
    ├── NotApprovedError        the ledger's policy asks for an approval that is missing or void
    ├── UnknownBatchError       the ledger has no such batch, or the batch no such row
    └── NotInDoubtError         what a person would settle is settled, or was never sent
    DGSPayError
    └── LedgerError             the ledger cannot be written; whatever is not on disk is not sent
        ├── LedgerBrokenError   nor will it be by this process: start it anew
        └── WentBackError       it lacks commits that were seen before: see `payouts restore`


    ├── LedgerError             the ledger cannot be written; whatever is not on disk is not sent
    └── UnknownPayoutError      an event is about no payout of the ledger; have it delivered again
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from dgspay.errors import ConfigError, DGSPayError


@attrs.frozen
class RowFault:
    """Something wrong with a row.

    Attributes:
        line: Line of the file on which the row begins; of rows that are no file, their number.
        column: The vendor's name of the column, or None when it is the row as a whole.
        message: What is wrong, never with the value in it.
    """

    line: int
    column: str | None
    message: str

    def __str__(self) -> str:
        """The fault as a line for a person."""
        return f"line {self.line}: {self.message}"


class RowsInvalidError(ConfigError):
    """Rows are wrong. Nothing was sent.

    Attributes:
        faults: The faults, in the order of the file.
        count: How many there are; more than `faults` holds when there are very many.
    """

    def __init__(self, faults: Sequence[RowFault], count: int) -> None:
        first = "; ".join(str(fault) for fault in faults[:3])
        super().__init__(f"{count} faults in the rows, nothing was sent: {first}")
        self.faults = tuple(faults)
        self.count = count


class PreflightError(ConfigError):
    """The batch must not be paid as things stand. This run has sent nothing.

    Attributes:
        problems: Each of them, for a person.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(f"this run has sent nothing: {'; '.join(problems)}")
        self.problems = tuple(problems)


class BatchChangedError(ConfigError):
    """The file or a setting differs from what the batch began with: nothing is sent with it."""


class BatchBusyError(ConfigError):
    """Another process runs this batch: this one sends nothing."""


class BatchClosedError(ConfigError):
    """A person has closed the batch. Nothing more of it is sent."""


class NotCancelledError(ConfigError):
    """The payout had left, or may have, before it was cancelled: that has changed nothing."""


class NotApprovedError(ConfigError):
    """The ledger's policy asks for approvals that the batch does not have. Nothing more is sent."""


class UnknownBatchError(ConfigError):
    """The ledger holds no batch, or no row, of that name."""


class LedgerError(DGSPayError):
    """The ledger cannot be read or written (disk full, server gone). Nothing more is sent."""


class LedgerBrokenError(LedgerError):
    """This process cannot use the ledger any more. Nothing more is sent; start it anew."""


class WentBackError(LedgerError):
    """The ledger lacks commits that were seen before, as after a restored backup.

    Nothing is sent from it until `dgspay payouts restore` has held what may have been sent since.
    """


class UnknownPayoutError(DGSPayError):
    """An event is about no payout that this ledger knows.

    Do not answer it with 200, or DGS-Pay never delivers it again: another ledger may wait for it,
    or this one may not have the payout's reference yet.
    """


class NotInDoubtError(ConfigError):
    """There is nothing for a person to settle about the payout."""


def single_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Find the one error behind a group: the ledger's, when it breaks for all workers at once."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
