"""`dgspay demo`: everything dgspay does, in a few seconds, without an account or a network."""

from __future__ import annotations

import os

from dgspay import DGSPay
from dgspay.cli.demo.inbox import DemoError, Inbox
from dgspay.cli.demo.narrator import Narrator
from dgspay.cli.emulator import exports, require_emulator
from dgspay.cli.exit_codes import ExitCode, fail
from dgspay.cli.webhook_server import receive
from dgspay.secret import Secret


def demo() -> None:
    """See dgspay work: payments and payouts in a few seconds.

    Needs no account and no network: it starts the emulator inside itself, and everything
    goes through real HTTP on this machine with simulated money.
    """
    require_emulator()
    from dgspay.cli.demo.story import play  # noqa: PLC0415 - it imports the extra
    from dgspay.emulator import Emulator  # noqa: PLC0415 - as above

    tell, inbox = Narrator(), Inbox()
    # Every emulator has the same published secret; the receiver needs it before ours exists.
    secret = Secret(Emulator().webhook_secret)
    with (
        receive(inbox.accept, secret) as inbox.url,
        Emulator(settle_after=0.6, webhook_url=inbox.url, balances={"RWF": 200_000}) as emulator,
        emulator.serve() as server,
    ):
        tell.title("dgspay demo")
        tell.say(
            f"A DGS-Pay of your own listens on {server.origin}. The money is simulated; the HTTP, "
            "the encryption and the signatures are real."
        )
        # Both clients of the story are made from the environment, as in a program of yours.
        os.environ.update(exports(emulator, server.url))
        try:
            with DGSPay.from_env() as dgs:
                play(dgs, emulator, inbox, tell)
        except DemoError as error:
            fail(f"The demo did not go as it should: {error}.", ExitCode.NO)
