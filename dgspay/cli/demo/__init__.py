"""`dgspay demo`: everything dgspay does, in a few seconds, without an account or a network."""

from __future__ import annotations

from contextlib import ExitStack

from dgspay import DGSPay
from dgspay.cli.demo.mailbox import Mailbox, WebhookMissingError
from dgspay.cli.demo.narrator import Narrator
from dgspay.cli.emulator import require_emulator
from dgspay.cli.exit_codes import ExitCode, fail
from dgspay.cli.webhook_server import receive
from dgspay.secret import Secret

_SETTLE_AFTER = 0.6


def demo() -> None:
    """See dgspay work: payments and payouts in a few seconds.

    Needs no account and no network: it starts the emulator inside itself, and everything
    goes through real HTTP on this machine with simulated money.
    """
    require_emulator()
    from dgspay.cli.demo.story import (  # noqa: PLC0415 - it imports the extra
        OPENING_BALANCE,
        DoesNotAddUpError,
        Story,
    )
    from dgspay.emulator import Emulator  # noqa: PLC0415 - as above

    narrator, mailbox = Narrator(), Mailbox()
    # Every emulator has the same published secret; the receiver needs it before ours exists.
    secret = Secret(Emulator(settle_after=None).webhook_secret)
    with ExitStack() as stack:
        callbacks = stack.enter_context(receive(mailbox.accept, secret))
        emulator = stack.enter_context(
            Emulator(
                settle_after=_SETTLE_AFTER,
                webhook_url=f"{callbacks}/webhooks",
                balances={"RWF": OPENING_BALANCE},
            )
        )
        server = stack.enter_context(emulator.serve())
        dgs = stack.enter_context(
            DGSPay(
                api_key=emulator.api_key,
                account_number=emulator.account_number,
                environment="emulator",
                base_url=server.url,
            )
        )
        narrator.title(
            "dgspay demo",
            f"A DGS-Pay of your own listens on {server.origin}. The money is simulated; "
            "the HTTP, the encryption and the signatures are real.",
        )
        try:
            Story(emulator, dgs, server.url, callbacks, mailbox, narrator).tell()
        except (WebhookMissingError, DoesNotAddUpError) as error:
            reason = str(error)
        else:
            narrator.closing("What next", _NEXT)
            return
    fail(f"The demo did not go as it should: {reason}.", ExitCode.NO)


_NEXT = (
    ("Keep a DGS-Pay running on this machine, to build against:", "dgspay emulator"),
    ("Look around in it, with the variables it prints:", "dgspay transactions list"),
    ("With your sandbox keys from the merchant portal, check them:", "dgspay doctor"),
)
