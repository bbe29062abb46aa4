"""`dgspay webhooks`: listen to events, send sample events, verify a stored one."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Annotated, cast
from urllib.parse import urlsplit

import typer

from dgspay import errors
from dgspay import webhooks as signed
from dgspay.cli.exit_codes import ExitCode, fail, usage_errors
from dgspay.cli.options import JsonOption, YesOption, ask, webhook_secret
from dgspay.cli.output import as_record, json_text, write_json
from dgspay.cli.sample_events import SAMPLES, sample
from dgspay.cli.signals import stop_signals
from dgspay.cli.streams import OutputLostError
from dgspay.cli.tables import print_facts
from dgspay.cli.terminal import console, money, visible
from dgspay.cli.webhook_listener import Listener, listening, wait_at
from dgspay.cli.webhook_server import Arrived
from dgspay.models.json_codec import dump_json
from dgspay.secret import Secret
from dgspay.settings import is_loopback

if TYPE_CHECKING:
    from dgspay.webhooks.signature import EnvironmentInput

webhooks = typer.Typer(no_args_is_help=True, help="Receive, send and verify webhooks.")

DEFAULT_PORT = 8251
"""One above the emulator's."""


def _secret() -> Secret:
    secret = webhook_secret()
    if secret is None:
        raise errors.ConfigError(
            "the environment variable DGSPAY_WEBHOOK_SECRET is not set: the secret is in the "
            "merchant portal under Settings, API Settings, and `dgspay emulator` prints its own"
        )
    return secret


@webhooks.command("listen")
def listen(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = DEFAULT_PORT,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    forward_to: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Pass each verified event on to a URL of this machine."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write each event as one line of JSON.")
    ] = False,
) -> None:
    """Print each event whose signature is valid, until Ctrl-C.

    A request that does not verify is answered 401 (422 where it cannot be read) and reported on
    stderr. With --forward-to the event is passed on with its body and signature unchanged, and
    the sender gets that answer; 502 when there is none, so that DGS-Pay delivers it again.
    """
    if forward_to is not None and not _is_on_this_machine(forward_to):
        fail("--forward-to must be an http or https URL of this machine (127.0.0.1, localhost).")
    with stop_signals() as stopped:
        listener = _Listener(forward_to, as_json=as_json, stopped=stopped)
        with listening(listener, _secret(), host=host, port=port) as url:
            wait_at(url, stopped)
        listener.require_output()


class _Listener(Listener):
    """Prints each event, and passes it on."""

    def __init__(self, forward_to: str | None, *, as_json: bool, stopped: threading.Event) -> None:
        super().__init__()
        self._forward_to = forward_to
        self._as_json = as_json
        self._stopped = stopped
        self._lost: OutputLostError | None = None
        self._seen: set[str] = set()

    def take(self, arrived: Arrived) -> int:
        """Print an event, pass it on, and return the status to answer with."""
        status, remark = 200, ""
        if self._forward_to is not None:
            status, remark = _forward(arrived, self._forward_to)
        with self.printing:
            try:
                self._print(arrived.event, remark)
            except OutputLostError as error:
                # An event that nothing shows must come again, to a listener that shows it.
                self._lost = error
                self._stopped.set()
                return 503
        return status

    def require_output(self) -> None:
        """Raise what kept an event from being shown.

        Raises:
            OutputLostError: stdout could not be written.
        """
        if self._lost is not None:
            raise self._lost

    def _print(self, event: signed.Event, remark: str) -> None:
        again = event.dedupe_key in self._seen
        self._seen.add(event.dedupe_key)
        if self._as_json:
            print(json_text(as_record(event)), flush=True)
            return
        now = dt.datetime.now().astimezone().strftime("%H:%M:%S")
        repeated = "  (delivered again)" if again else ""
        console().print(f"{now}  {one_line(event)}{remark}{repeated}", soft_wrap=True)


def one_line(event: signed.Event) -> str:
    """Return an event as one line."""
    return f"{visible(event.event)}  {visible(event.dgs_reference or '-')}  {_what(event)}".rstrip()


def _what(event: signed.Event) -> str:
    match event:
        case signed.PaymentSucceeded():
            net = money(event.net_amount, event.currency)
            return f"{money(event.amount, event.currency)} paid, {net} net"
        case signed.PaymentFailed():
            return f"{money(event.amount, event.currency)} not paid"
        case signed.DisbursementSucceeded():
            arrived = money(event.recipient_gets, event.currency)
            return f"{money(event.amount, event.currency)} sent, {arrived} arrived"
        case signed.DisbursementFailed():
            reason = visible(event.fail_reason or "no reason given")
            return f"{money(event.amount, event.currency)} not sent: {reason}"
        case signed.ConversionSucceeded():
            gained = money(event.to_amount, event.to_currency)
            return f"{money(event.from_amount, event.from_currency)} became {gained}"
        case signed.ConversionFailed():
            reason = visible(event.fail_reason or "no reason given")
            return f"{money(event.from_amount, event.from_currency)} not converted: {reason}"
        case signed.UnknownEvent():
            return "(this version of dgspay does not know it)"


def _forward(arrived: Arrived, url: str) -> tuple[int, str]:
    """Pass a delivery on; return the answer's status, and how to remark on it."""
    from dgspay.cli.webhook_sender import NotDeliveredError, post  # noqa: PLC0415 - it loads httpx

    try:
        status = post(url, arrived.body, arrived.signature)
    except NotDeliveredError as error:
        return 502, f"  -> not forwarded: {error}"
    return status, f"  -> {status}"


@webhooks.command("send")
def send(
    event: Annotated[str, typer.Argument(metavar="EVENT", help=f"{', '.join(SAMPLES)}.")],
    *,
    to: Annotated[
        str, typer.Option("--to", "--url", metavar="URL", help="Where your receiver listens.")
    ],
    amount: Annotated[
        str | None, typer.Option(help="What was paid, sent or converted: 2000.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="Its currency: RWF.")] = None,
    reference: Annotated[str | None, typer.Option(help="The dgs_reference.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the body that is sent.")] = False,
    yes: YesOption = False,
) -> None:
    """Sign a sample event of the guide's and post it.

    What you leave out is the guide's; fees keep its rates. The event belongs to the test
    environment, and is signed with DGSPAY_WEBHOOK_SECRET. Exit code 0 when the receiver
    answers 2xx, 1 when it answers anything else, 4 when there is no answer.
    """
    from dgspay.cli.webhook_sender import NotDeliveredError, post  # noqa: PLC0415 - it loads httpx

    if event not in SAMPLES:
        fail(f"EVENT must be one of {', '.join(SAMPLES)}.")
    secret = _secret()
    if _web_host(to) is None:
        fail("--to must be an http or https URL.")
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with usage_errors():
        fields = sample(event, timestamp=now, reference=reference, amount=amount, currency=currency)
    if not yes and not _is_on_this_machine(to):
        ask(f"{to} is not on this machine, and the sample event is validly signed. Send it?")
    body = dump_json(fields)
    if show:
        print(json_text(fields))
    try:
        status = post(to, body, signed.sign(body, secret))
    except NotDeliveredError as error:
        reason = str(error)
    else:
        good = 200 <= status < 300
        console().print(
            f"{event} sent; the receiver answered {status}.", style="" if good else "red"
        )
        if not good:
            raise typer.Exit(ExitCode.NO)
        return
    fail(f"The receiver did not answer ({reason}).", ExitCode.NOT_SENT)


@webhooks.command("verify")
def verify(
    file: Annotated[
        typer.FileBinaryRead, typer.Argument(help="The raw body, byte for byte; - is stdin.")
    ],
    *,
    signature: Annotated[str, typer.Option(help="The X-DGS-Signature header.")],
    environment: Annotated[
        str | None,
        typer.Option(help="Reject an event of the other environment: production or test."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify that DGS-Pay signed a body, and print its event.

    Exit code 1 when it did not.
    """
    body = file.read()
    # `verify` itself rejects a word that is no environment.
    expected = cast("EnvironmentInput | None", environment)
    event = signed.verify(body, signature, _secret(), environment=expected)
    if as_json:
        write_json(as_record(event))
        return
    console().print("The signature is valid.", style="green")
    print_facts(as_record(event), getattr(event, "currency", None))


def _web_host(url: str) -> str | None:
    """Return the host of an http or https URL; None where it is none."""
    try:
        parts = urlsplit(url)
        # Looked at because a port that does not exist is found out only here.
        _ = parts.port
    except ValueError:
        return None
    return parts.hostname if parts.scheme in ("http", "https") else None


def _is_on_this_machine(url: str) -> bool:
    host = _web_host(url)
    return host is not None and is_loopback(host)
