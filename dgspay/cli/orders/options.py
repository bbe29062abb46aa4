"""Options that several commands about orders share, and the exit codes of all of them."""

from __future__ import annotations

from typing import Annotated

import typer

from dgspay.checkout import OrderState

EXIT_CODES = (
    "\b\nExit codes:\n"
    "  0    it worked; of a refund: DGS-Pay has it, or has paid it\n"
    "  1    problems are open, a handler failed, the refund is not possible, or you said no\n"
    "  2    wrong options or settings, no such store or order; nothing was sent or changed\n"
    "  3    DGS-Pay refused the call; no money went back\n"
    "  4    DGS-Pay or the store was not reached; nothing was sent\n"
    "  5    it is not known whether a refund was paid: it is held, and not sent again\n"
    "  130  stopped with Ctrl-C; what was learned until then is on disk"
)
"""What the commands about orders end with."""

OrderArgument = Annotated[str, typer.Argument(metavar="ORDER", help="The shop's id of the order.")]
OrdersOption = Annotated[
    str | None,
    typer.Option(
        "--orders",
        envvar="DGSPAY_ORDERS",
        metavar="PATH|URL",
        help="Where the shop keeps its orders: a SQLite file, or postgresql://...; "
        "dgspay-orders.sqlite3 if left out.",
    ),
]
AppOption = Annotated[
    str | None,
    typer.Option(
        "--app",
        metavar="MODULE:NAME",
        help="The shop's own checkout, such as shop:checkout, with its store, its account and its "
        "handlers, which then run here. Without it they run in the shop's processes only.",
    ),
]
StateOption = Annotated[
    OrderState | None, typer.Option("--state", help="Only those in this state.")
]
