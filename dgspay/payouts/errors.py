"""Problems of a batch before anything is sent, and their errors.

::

    ConfigError
    ├── RowsInvalidError        rows of the file are wrong; all of them are listed
    ├── HeadingsError           columns are missing; headings that look like them are offered
    ├── PreflightError          the rows are fine, paying them now is not
    ├── BatchChangedError       the file or the settings are not those the batch began with
    ├── BatchBusyError          another process runs this batch at this moment
    ├── BatchPausedError        a person has paused the batch: `resume` lets it go on
    ├── BatchClosedError        a person has closed the batch: nothing more of it is sent
    ├── NotCancelledError       the payout had left before it was cancelled
    ├── NotApprovedError        the ledger's policy asks for an approval that is missing or void
    ├── UnknownBatchError       the ledger has no such batch, or the batch no such row
    └── NotInDoubtError         what a person would settle is settled, or was never sent
    DGSPayError
    ├── LedgerError             the ledger cannot be written; whatever is not on disk is not sent
    │   ├── LedgerBrokenError   nor will it be by this process: start it anew
    │   └── WentBackError       it lacks commits that were seen before: see `payouts restore`
    └── UnknownPayoutError      an event is about no payout of the ledger; have it delivered again
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from dgspay.errors import ConfigError, DGSPayError


@attrs.frozen
class RowFault:
    """Something wrong with a row.

    Attributes:
        line: Line of the file on which the row begins; of rows that are no file, their number.
        column: The vendor's name of the column, or None when it is the row as a whole.
        message: What is wrong, never with the value in it.
        heading: The column's heading as it stands in the sheet.
        value: What stands in the cell. It may be personal, and is in no message and no repr.
        payee: The name in the row, or its reference; as personal as the value.
        proposal: What the value most likely is to be. It is never taken for it.
    """

    line: int
    column: str | None
    message: str
    heading: str | None = attrs.field(default=None, kw_only=True)
    value: str | None = attrs.field(default=None, kw_only=True, repr=False)
    payee: str | None = attrs.field(default=None, kw_only=True, repr=False)
    proposal: str | None = attrs.field(default=None, kw_only=True, repr=False)

    def __str__(self) -> str:
        """The fault as a line for a person."""
        return f"line {self.line}: {self.message}"


class RowsInvalidError(ConfigError):
    """Rows are wrong. Nothing was sent.

    Attributes:
        faults: The faults, in the order of the file.
        count: How many there are; more than `faults` holds when there are very many.
        remarks: What else a person should know of the sheet.
    """

    def __init__(self, faults: Sequence[RowFault], count: int, remarks: Sequence[str] = ()) -> None:
        first = "; ".join(str(fault) for fault in faults[:3])
        super().__init__(f"{_faulty(count)} in the rows, nothing was sent: {first}")
        self.faults = tuple(faults)
        self.count = count
        self.remarks = tuple(remarks)


def _faulty(count: int) -> str:
    return "1 fault" if count == 1 else f"{count:,} faults"


class HeadingsError(ConfigError):
    """The sheet lacks columns, as far as its headings say. Nothing was sent.

    Attributes:
        proposed: Headings that look as if they meant a column, and which: a `mapping` to look
            over, and to give if it is right.
    """

    def __init__(self, message: str, proposed: Mapping[str, str]) -> None:
        super().__init__(message)
        self.proposed = dict(proposed)


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


class BatchPausedError(ConfigError):
    """A person has paused the batch. Nothing more of it is sent before it is resumed."""


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
