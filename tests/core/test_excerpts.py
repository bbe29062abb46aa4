"""What an error quotes of an answer: its beginning, masked, printable, and to an exact length."""

from __future__ import annotations

from typing import Any

import pytest

from dgspay.core.assessment import Assessment, Verdict, assess
from dgspay.core.messages import Response
from dgspay.core.operation import Repeat
from dgspay.errors import APIError, DGSPayError, OutcomeUnknownError
from dgspay.secret import Secret
from tests.support.scripted_server import Story, answer, operation

PAYOUT = operation(Repeat.PAYOUT)


def assessed(response: Response, repeat: Repeat = Repeat.PAYOUT, **options: Any) -> Assessment:
    return assess(response, operation(repeat, **options), now=0.0, secrets=[Secret("hunter-2")])


def refusal(response: Response) -> DGSPayError:
    with pytest.raises(DGSPayError) as caught:
        Story(response).run(PAYOUT)
    return caught.value


@pytest.mark.acceptance(22, "no-json-answer")
@pytest.mark.parametrize(
    ("body", "excerpt"),
    [
        (b"x" * 199, "x" * 199),
        (b"x" * 200, "x" * 200),
        (b"x" * 201, "x" * 200 + "..."),
        # However long the answer is, no more than its first 800 bytes is looked at.
        # A word that it cuts off may be half a secret.
        (b"a" + b" " * 798 + b"b", "a b"),
        (b"a" + b" " * 798 + b"b" + b"c", "a"),
        (b"a" + b" " * 799 + b"b", "a"),
        (b" \n\t one \r\n two ", "one two"),
        (b"bell\x07 and \x1b[31mred", "bell\ufffd and \ufffd[31mred"),
        (b"not utf-8: \xff", "not utf-8: \ufffd"),
        ("Murakoze, \u00e9".encode(), "Murakoze, \u00e9"),
        (b"said hunter-2, card 4111 1111 1111 1111", "said ***, card ***"),
    ],
)
def test_an_excerpt_to_the_letter(body: bytes, excerpt: str) -> None:
    assert assessed(answer(body, 502)).excerpt == excerpt


@pytest.mark.acceptance(22, "no-json-answer")
@pytest.mark.parametrize("body", [b"", b"   ", b"\n"])
def test_where_there_is_nothing_to_quote_there_is_no_excerpt(body: bytes) -> None:
    assert assessed(answer(body, 502)).excerpt is None


@pytest.mark.acceptance(22, "no-json-answer")
def test_a_card_number_at_the_cut_does_not_show_its_first_half() -> None:
    excerpt = assessed(answer(b"x" * 190 + b" 4111111111111111 ", 502)).excerpt
    assert excerpt == "x" * 190 + " ***"


@pytest.mark.acceptance(22, "no-json-answer")
@pytest.mark.parametrize(
    "secret", [b"hunter-2-is-longer", b"4111 1111 1111 1111", b"4111-1111-1111-1111", b"4" * 16]
)
@pytest.mark.parametrize("shown", range(1, 19))
def test_half_a_secret_after_much_white_space_is_not_shown(secret: bytes, shown: int) -> None:
    # As a page of a framework's, indented, that shows what was sent.
    body = b"<pre>".ljust(800 - shown) + secret + b"</pre>"
    excerpt = assess(
        answer(body, 502), PAYOUT, now=0.0, secrets=[Secret("hunter-2-is-longer")]
    ).excerpt
    assert excerpt in ("<pre>", "<pre> ***")


def test_an_answer_that_is_read_needs_no_excerpt() -> None:
    assert assessed(answer({"error_code": "90"}, 400)).excerpt is None


@pytest.mark.parametrize(
    ("message", "quoted"),
    [
        ("No such\nbank", ' ("No such bank")'),
        ("m" * 200, f' ("{"m" * 200}")'),
        ("m" * 201, f' ("{"m" * 200}...")'),
        ("card 4111111111111111 for hunter-2", ' ("card *** for ***")'),
        ("", ""),
        (7, ""),
    ],
)
def test_the_servers_message_is_quoted_with_every_kind_of_no(message: Any, quoted: str) -> None:
    no = {"status": "failed", "message": message}
    odd = {"status": "odd", "message": message}
    both = {"status": "pending", "error_code": "99", "message": message}
    for response, reason in (
        (answer(no), f'the answer says "failed"{quoted}, with no code and no payment in it'),
        (
            answer({**no, "error_code": "E7"}),
            f"the answer has the code E7{quoted}, which the guide does not list",
        ),
        (
            answer({**no, "error_code": "99"}, 500),
            f"DGS-Pay reported an internal error, code 99{quoted}",
        ),
        (answer({**no, "error_code": "90"}), f"DGS-Pay refused with code 90{quoted}"),
        (answer(no, 404), f"the server answered HTTP 404{quoted}"),
        (answer(no, 503), f"the server answered HTTP 503{quoted}"),
        (
            answer({**no, "error_code": "GATEWAY"}, 502),
            f"the server answered HTTP 502, code GATEWAY{quoted}",
        ),
        (answer(odd), f"the answer has a status the guide does not know{quoted}"),
        (
            answer(both),
            f"the answer says no with code 99{quoted} and yes with 'pending'",
        ),
        (
            answer({**both, "error_code": "00"}, 418),
            f"the answer says no with HTTP 418{quoted} and yes with 'pending'",
        ),
    ):
        assert assessed(response).reason == reason


@pytest.mark.acceptance(23, "error-in-200")
@pytest.mark.parametrize(
    ("payment", "word"),
    [
        ("pending", "pending"),
        ("successful", "successful"),
        ("failed", "success"),
        (None, "success"),
        (["pending"], "success"),
        ("sk_live_4711 hunter-2 4111111111111111", "success"),
        ("processing", "processing"),
    ],
)
def test_a_contradiction_quotes_the_word_that_says_yes_and_no_other(
    payment: Any, word: str
) -> None:
    body = {"status": "success", "transaction_status": payment, "error_code": "99"}
    reason = assessed(answer(body)).reason
    assert reason == f"the answer says no with code 99 and yes with '{word}'"


@pytest.mark.acceptance(22, "no-json-answer")
def test_an_answer_that_is_not_json_says_why_and_how_it_came() -> None:
    assessment = assessed(answer(b"", 201))
    assert assessment.verdict is Verdict.UNKNOWN
    assert assessment.reason == "the answer (HTTP 201) is unusable: the body is empty"
    assessment = assessed(answer(b"[]", 200))
    assert assessment.reason == (
        "the answer (HTTP 200) is unusable: the body is JSON, but not an object"
    )
    assert assessment.fault is not None
    assert assessment.body is None


@pytest.mark.parametrize("code", ["X", "XX", "0X0", "00 1", "c" * 64])
def test_a_code_is_kept_as_it_came(code: str) -> None:
    error = refusal(answer({"error_code": code}, 400))
    assert isinstance(error, APIError)
    assert error.error_code == code


def test_a_code_of_any_length_is_kept_to_64_characters() -> None:
    error = refusal(answer({"error_code": "c" * 65}, 400))
    assert isinstance(error, APIError)
    assert error.error_code == "c" * 64


@pytest.mark.acceptance(23, "error-in-200")
def test_a_word_for_a_payment_that_is_not_known_is_not_quoted() -> None:
    body = {"status": "failed", "transaction_status": "hunter-2", "message": "no"}
    assert assessed(answer({**body, "error_code": "90"})).reason == (
        'the answer says no with code 90 ("no") and yes with a payment whose status the guide '
        "does not know"
    )
    assert assessed(answer(body)).reason.startswith("the answer says no with 'failed' (\"no\")")


@pytest.mark.acceptance(23, "error-in-200")
@pytest.mark.parametrize("odd", [["90"], {"code": "90"}, 90.5])
def test_a_code_that_is_neither_text_nor_a_number_is_no_success(odd: Any) -> None:
    assessment = assessed(answer({"status": "success", "error_code": odd}))
    assert (assessment.verdict, assessment.contradicts) == (Verdict.UNKNOWN, True)
    assert assessment.error_code == "unreadable"
    refused = assessed(answer({"status": "success", "error_code": odd}), Repeat.READ)
    assert refused.verdict is Verdict.UNCONFIRMED


@pytest.mark.parametrize("code", ["0 0", " 00 ", 0, True, False, [], {}, None])
def test_what_is_no_code_is_none(code: Any) -> None:
    assert assessed(answer({"status": "success", "error_code": code})).error_code is None


def test_a_good_answer_has_nothing_to_explain() -> None:
    body = {"status": "success", "dgs_reference": "d"}
    assert assessed(answer(body, 201, retry_after="3")) == Assessment(
        verdict=Verdict.OK, status=201, body=body, retry_after=3.0, value=body
    )


def test_a_finding_that_cannot_be_read_names_its_fault() -> None:
    error = refusal(answer(b'{"status": NaN}'))
    assert isinstance(error, OutcomeUnknownError)
    assert error.status == 200
    assert error.excerpt == '{"status": NaN}'
