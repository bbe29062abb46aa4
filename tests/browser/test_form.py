"""The card form in a real Chromium: typed by keyboard, announced, and silent about the card."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from dgspay.encryption import CardEncryptor, decrypt_field, encrypt_field
from dgspay.models.cards import EncryptedCard
from tests.browser.conftest import Scheme, look_as
from tests.support.contrast import CONTRAST

if TYPE_CHECKING:
    from playwright.sync_api import Page

Opened = Callable[..., "Page"]

NUMBER = "5531886652142950"
ERROR = "#card .dgspay-field-{} .dgspay-error"


def type_card(page: Page, number: str = NUMBER, expiry: str = "1228", cvv: str = "987") -> None:
    """Fill the form as a payer without a mouse does."""
    for text in (number, expiry, cvv):
        page.keyboard.press("Tab")
        page.keyboard.type(text)


def value(page: Page, field: str) -> str:
    return page.input_value(f".dgspay-field-{field} input")


def posted(page: Page) -> list[dict[str, str]]:
    """What the page was handed so far."""
    fields: list[dict[str, str]] = page.evaluate("window.posted")
    return fields


def handed_over(page: Page, count: int = 1) -> list[dict[str, str]]:
    """Wait until the page was handed that many cards, and the form is done with them."""
    page.wait_for_function(
        "count => window.posted.length >= count && !document.querySelector('#card [data-busy]')",
        arg=count,
    )
    return posted(page)


def draw_anew(page: Page) -> None:
    """Have an empty form with the focus in it."""
    page.evaluate("window.draw()")
    page.locator("h1").click()


def error(page: Page, field: str) -> str:
    return page.text_content(ERROR.format(field)) or ""


def open_fields(wire: dict[str, str], key: str) -> list[str]:
    *ciphertexts, nonce = wire.values()
    return [decrypt_field(text, key=key, nonce=nonce) for text in ciphertexts]


@pytest.fixture
def key(vectors: dict[str, Any]) -> str:
    key: str = vectors["cards"][0]["key"]
    return key


@pytest.fixture
def page(opened: Opened) -> Page:
    page = opened()
    page.wait_for_selector("#card form")
    return page


# --- the wire format in this browser ------------------------------------------------------


@pytest.mark.acceptance(39, "known-answer")
def test_known_answers_in_the_browser(page: Page, vectors: dict[str, Any]) -> None:
    sealed = page.evaluate(
        "fields => Promise.all(fields.map(f => dgspay.encryptField(f.plaintext, f)))",
        vectors["fields"],
    )
    assert sealed == [vector["ciphertext"] for vector in vectors["fields"]]


@pytest.mark.acceptance(39, "known-answer")
def test_what_python_encrypts_opens_in_the_browser(page: Page, key: str) -> None:
    sealed = encrypt_field(NUMBER, key=key, nonce="abc123def456")
    opened_there = page.evaluate(
        """async ([sealed, key]) => {
          const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
          const aes = await crypto.subtle.importKey(
            "raw", bytes(key), "AES-GCM", false, ["decrypt"]);
          const iv = new TextEncoder().encode("abc123def456");
          const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, aes, bytes(sealed));
          return new TextDecoder().decode(plain);
        }""",
        [sealed, key],
    )
    assert opened_there == NUMBER


@pytest.mark.acceptance(36, "odd-encryption-key", 37, "odd-card-digits", 38, "nonce-reuse")
def test_bad_cards_nonces_and_pins_are_refused_in_the_browser(
    page: Page, vectors: dict[str, Any]
) -> None:
    refused = page.evaluate(
        """async (vectors) => {
          const { key, card } = vectors.cards[0];
          const named = (c) => ({ number: c.number, expiryMonth: c.expiry_month,
                                  expiryYear: c.expiry_year, cvv: c.cvv });
          const fault = (promise) => promise.then(() => null, (error) => error.field);
          return {
            cards: await Promise.all(vectors.bad_cards.map((bad) =>
              fault(dgspay.encryptCard(named({ ...card, [bad.field]: bad.value }), { key })))),
            nonces: await Promise.all(vectors.bad_nonces.map((nonce) =>
              fault(dgspay.encryptPin("1234", { key, nonce })))),
            pins: await Promise.all(vectors.bad_pins.map((pin) =>
              fault(dgspay.encryptPin(pin, { key })))),
          };
        }""",
        vectors,
    )
    assert refused["cards"] == [bad["field"] for bad in vectors["bad_cards"]]
    assert set(refused["nonces"]) == {"nonce"}
    assert set(refused["pins"]) == {"pin"}


# --- filled by keyboard -------------------------------------------------------------------


def test_the_page_gets_the_encrypted_fields_and_nothing_else(page: Page, key: str) -> None:
    for width in (1000, 360):
        look_as(page, width, "light")
        draw_anew(page)
        type_card(page)
        page.keyboard.press("Enter")
        (wire,) = handed_over(page)
        assert EncryptedCard.from_mapping(wire).to_wire() == wire
        assert open_fields(wire, key) == [NUMBER, "12", "2028", "987"]
        assert [value(page, field) for field in ("number", "expiry", "cvv")] == ["", "", ""]


def test_the_encryptor_and_the_form_make_the_same_card(page: Page, key: str) -> None:
    type_card(page)
    page.keyboard.press("Enter")
    (wire,) = handed_over(page)
    card = CardEncryptor(key).encrypt_card(
        number=NUMBER, expiry_month=12, expiry_year=2028, cvv="987", nonce=wire["card_nonce"]
    )
    assert card.to_wire() == wire


TYPED = [
    ("number", NUMBER, "5531 8866 5214 2950"),
    ("number", "5531-8866 5214.2950", "5531 8866 5214 2950"),
    ("number", "378282246310005", "3782 822463 10005"),
    ("number", "4111x\u0661y1", "4111 1"),
    ("expiry", "1228", "12 / 28"),
    ("expiry", "12/28", "12 / 28"),
    ("expiry", "1/28", "01 / 28"),
    ("expiry", "928", "09 / 28"),
    ("expiry", "1 28", "01 / 28"),
    ("expiry", "1312", "13 / 12"),
    ("expiry", "12/2028", "12 / 2028"),
    ("cvv", "9x87", "987"),
]


def test_what_is_typed_is_formatted(page: Page) -> None:
    for field, typed, shown in TYPED:
        draw_anew(page)
        page.focus(f".dgspay-field-{field} input")
        page.keyboard.type(typed)
        assert value(page, field) == shown, typed


# Month first and year first, as autofill, password managers and date fields write it.
FILLED_IN = [
    *("12/28", "12/2028", "12 / 28", "1228", "12-28", "12 28", "122028", "12\u20132028"),
    *("2028-12", "2028/12", "2028.12", "202812", "2028 12", "2028-12-31", "28-12", "2812"),
]


def test_what_the_browser_fills_in_is_understood(page: Page, key: str) -> None:
    for filled in FILLED_IN:
        draw_anew(page)
        page.fill(".dgspay-field-number input", NUMBER)
        page.fill(".dgspay-field-expiry input", filled)
        page.fill(".dgspay-field-cvv input", "987")
        page.keyboard.press("Enter")
        (wire,) = handed_over(page)
        assert open_fields(wire, key)[1:3] == ["12", "2028"], filled


def test_a_digit_is_corrected_in_the_middle(page: Page) -> None:
    page.focus(".dgspay-field-number input")
    page.keyboard.type("4111 2111 1111")
    for _ in range(9):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Backspace")  # behind "4111 ": takes the space, which comes back
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Delete")
    assert value(page, "number") == "4111 1111 111"
    page.keyboard.type("9")
    assert value(page, "number") == "4111 9111 1111"


def test_delete_goes_on_through_what_separates_groups(page: Page) -> None:
    for field, typed, presses, left in (
        ("number", "4111 2345 678", 4, "4111 678"),
        ("number", "3782 822463 1", 6, "3782 1"),
        ("expiry", "12 / 28", 1, "12 / 8"),
    ):
        draw_anew(page)
        page.focus(f".dgspay-field-{field} input")
        page.keyboard.type(typed)
        page.keyboard.press("Home")
        for _ in range(typed.index(" ")):
            page.keyboard.press("ArrowRight")
        for _ in range(presses):
            page.keyboard.press("Delete")
        assert value(page, field) == left
        # At the end there is nothing more to take.
        for _ in range(20):
            page.keyboard.press("Delete")
        assert value(page, field) == typed.partition(" ")[0]


def test_expiry_can_be_taken_back_key_by_key(page: Page) -> None:
    page.focus(".dgspay-field-expiry input")
    page.keyboard.type("1228")
    for _ in range(7):
        page.keyboard.press("Backspace")
    assert value(page, "expiry") == ""


def test_the_brand_is_shown_and_described(page: Page) -> None:
    brands = {"4": "Visa", "51": "Mastercard", "2720": "Mastercard", "37": "American Express"}
    for number, brand in brands.items():
        draw_anew(page)
        page.focus(".dgspay-field-number input")
        page.keyboard.type(number)
        described = page.get_attribute(".dgspay-field-number input", "aria-describedby") or ""
        assert page.text_content(".dgspay-brand") == brand
        assert page.get_attribute(".dgspay-brand", "id") in described.split()


def test_the_security_code_that_is_hinted_at_is_as_long_as_the_brands(page: Page) -> None:
    hint = ".dgspay-field-cvv input"
    for number, placeholder in (("4242", "123"), ("3782", "1234"), ("5531", "123")):
        page.fill(".dgspay-field-number input", number)
        assert page.get_attribute(hint, "placeholder") == placeholder
    page.fill(".dgspay-field-number input", "3782")
    page.evaluate("window.form.clear()")
    assert page.get_attribute(hint, "placeholder") == "123"


@pytest.mark.parametrize(
    "pasted",
    [
        "Card number:  5531 8866 5214 2950",
        "5531\u20138866\u20135214\u20132950 (my debit card, with a very long remark after it)",
        "5531 8866 5214 2950\t12/28\t987",
    ],
)
def test_what_is_pasted_is_cleaned_before_it_is_cut(page: Page, pasted: str) -> None:
    page.focus(".dgspay-field-number input")
    page.keyboard.insert_text(pasted)
    assert value(page, "number") == "5531 8866 5214 2950"


# --- errors -------------------------------------------------------------------------------


WRONG: list[tuple[dict[str, str], str, str]] = [
    ({"number": ""}, "number", "Enter your card number."),
    ({"number": "5531 8866"}, "number", "not complete"),
    ({"number": "5531886652142951"}, "number", "mistyped"),
    ({"expiry": "1328"}, "expiry", "month and year"),
    ({"expiry": "12"}, "expiry", "month and year"),
    ({"expiry": "0526"}, "expiry", "expired"),
    ({"cvv": "12"}, "cvv", "3 digits"),
    ({"number": "378282246310005", "cvv": "123"}, "cvv", "4 digits"),
]


@pytest.mark.acceptance(37, "odd-card-digits")
def test_a_wrong_field_is_announced_and_focused(page: Page) -> None:
    for card, field, words in WRONG:
        draw_anew(page)
        type_card(page, **card)
        page.keyboard.press("Enter")
        page.locator(ERROR.format(field)).get_by_text(words).wait_for()
        box = page.locator(f".dgspay-field-{field} input")
        assert box.get_attribute("aria-invalid") == "true"
        error_id = page.get_attribute(ERROR.format(field), "id")
        assert error_id in (box.get_attribute("aria-describedby") or "").split()
        assert page.get_attribute(ERROR.format(field), "aria-live") == "polite"
        assert page.evaluate("document.activeElement.id") == box.get_attribute("id")
        assert posted(page) == []


def test_a_card_is_good_through_the_last_month_on_it(page: Page) -> None:
    type_card(page, expiry="0626")
    page.keyboard.press("Enter")
    assert len(handed_over(page)) == 1


def test_luhn_is_checked_while_typing_and_an_error_leaves_when_it_is_mended(page: Page) -> None:
    page.focus(".dgspay-field-number input")
    page.keyboard.type(NUMBER[:-1])
    assert error(page, "number") == ""
    page.keyboard.type("1")
    assert "mistyped" in error(page, "number")
    page.keyboard.press("Backspace")
    page.keyboard.type(NUMBER[-1])
    assert error(page, "number") == ""


def test_the_pages_own_fields_are_checked_in_the_same_round(page: Page) -> None:
    """A payer who has mended one thing is not told of the next one afterwards."""
    page.evaluate(
        """() => {
          window.rounds = 0;
          window.isPageRight = false;
          window.options.alsoCheck = () => { window.rounds += 1; return window.isPageRight; };
          window.draw();
        }"""
    )
    page.locator("#card .dgspay-submit").click()
    assert (page.evaluate("window.rounds"), error(page, "number")) == (1, "Enter your card number.")
    page.locator("h1").click()
    type_card(page)
    page.keyboard.press("Enter")
    assert (page.evaluate("window.rounds"), posted(page)) == (2, [])
    page.evaluate("window.isPageRight = true")
    page.keyboard.press("Enter")
    assert len(handed_over(page)) == 1


def test_a_failure_is_shown_and_the_next_try_has_a_fresh_nonce(page: Page) -> None:
    page.evaluate("() => { window.answer = () => { throw new Error('secret of the shop'); }; }")
    type_card(page)
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]:not(:empty)")
    shown = page.text_content("#card [role=alert]") or ""
    # The request may have got through: the payer must not read that nothing happened.
    assert "not known yet whether the payment went through" in shown
    assert "secret of the shop" not in shown
    page.evaluate(
        "() => { window.answer = () => { throw new dgspay.PaymentError('Your bank said no.'); }; }"
    )
    page.keyboard.press("Enter")
    page.get_by_text("Your bank said no.").wait_for()
    first, second = handed_over(page, 2)
    assert first["card_nonce"] != second["card_nonce"]


def test_pressing_twice_sends_once(page: Page) -> None:
    page.evaluate("() => { window.answer = () => new Promise((go) => { window.go = go; }); }")
    type_card(page)
    page.keyboard.press("Enter")
    # The first is on its way.
    page.wait_for_function("Boolean(window.go)")
    page.keyboard.press("Enter")
    page.click("#card button", force=True)
    assert len(posted(page)) == 1
    assert "Encrypting" in (page.text_content("#card [role=status]") or "")
    page.evaluate("window.go()")
    assert len(handed_over(page)) == 1


# --- accessible, on any screen ------------------------------------------------------------


def test_every_field_has_a_label_its_autocomplete_and_a_numeric_keyboard(page: Page) -> None:
    for label, autocomplete in [
        ("Card number", "cc-number"),
        ("Expiry date", "cc-exp"),
        ("Security code", "cc-csc"),
    ]:
        box = page.get_by_label(label, exact=True)
        assert box.get_attribute("autocomplete") == autocomplete
        assert box.get_attribute("inputmode") == "numeric"
        assert box.get_attribute("aria-required") == "true"
    assert page.get_by_role("form", name="Card details").count() == 1
    assert page.get_by_role("button", name="Pay").count() == 1


CONTRASTS = (
    "() => {"
    + CONTRAST
    + """
  const style = (selector) => getComputedStyle(document.querySelector(selector));
  const paper = style(".dgspay input").backgroundColor;
  return {
    input: contrast(style(".dgspay input").color, paper),
    label: contrast(style(".dgspay label").color, paper),
    error: contrast(style(".dgspay-error").color, paper),
    privacy: contrast(style(".dgspay-privacy").color, paper),
    border: contrast(style(".dgspay input").borderTopColor, paper) * 1.5,
    brand: contrast(style(".dgspay-brand").color, style(".dgspay-brand").backgroundColor),
    button: contrast(style(".dgspay-submit").color, style(".dgspay-submit").backgroundColor),
  };
}"""
)


def test_colours_follow_the_system_and_can_be_read(page: Page) -> None:
    schemes: list[Scheme] = ["light", "dark"]
    for scheme in schemes:
        look_as(page, 1000, scheme)
        page.reload()
        page.wait_for_selector("#card form")
        ink = page.evaluate("getComputedStyle(document.querySelector('.dgspay input')).color")
        assert (ink == "rgb(23, 32, 46)") == (scheme == "light")
        # WCAG 2.2 AA: 4.5 for text, 3 for the edges of a field (scaled to 4.5 above).
        contrasts = page.evaluate(CONTRASTS)
        assert {name: ratio for name, ratio in contrasts.items() if ratio < 4.5} == {}, scheme


def test_nothing_is_cut_off_on_a_small_screen(page: Page) -> None:
    for width in (1000, 360, 240):
        look_as(page, width, "light")
        draw_anew(page)
        type_card(page, number="5531886652142951", expiry="1", cvv="1")
        page.keyboard.press("Enter")
        page.locator(ERROR.format("number")).get_by_text("mistyped").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        cut = "box => box.scrollWidth > box.clientWidth"
        assert page.eval_on_selector(".dgspay-field-number input", cut) is False
        for box in page.locator("#card input, #card button").all():
            bounds = box.bounding_box()
            assert bounds is not None
            assert bounds["height"] >= 44
            assert bounds["x"] >= 0
            assert bounds["x"] + bounds["width"] <= width


# --- silent about the card ----------------------------------------------------------------

TRACES = """async () => JSON.stringify([
  document.documentElement.outerHTML,
  [...document.querySelectorAll("*")].flatMap((e) => [...e.attributes].map((a) => a.value)),
  { ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state,
  (await indexedDB.databases()).map((database) => database.name), await caches.keys(),
])"""


def test_the_card_is_nowhere_but_in_the_inputs(opened: Opened) -> None:
    page = opened()
    logged: list[str] = []
    requested: list[str] = []
    page.on("console", lambda message: logged.append(message.text))
    page.on("request", lambda request: requested.append(f"{request.url} {request.post_data}"))
    page.wait_for_selector("#card form")
    page.evaluate("() => { window.answer = () => { throw new Error('no'); }; }")
    type_card(page)
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]:not(:empty)")
    assert value(page, "number").replace(" ", "") == NUMBER
    traces = page.evaluate(TRACES) + "".join(logged) + "".join(requested)
    for secret in (NUMBER, "5531 8866 5214 2950", "5214", "12 / 28", "987"):
        assert secret not in traces
    for ciphertext in posted(page)[0].values():
        assert ciphertext not in traces


def test_no_field_could_be_sent_the_old_way(page: Page) -> None:
    assert page.locator("#card [name]").count() == 0
    refusal = page.evaluate(
        """() => {
          const outer = document.body.appendChild(document.createElement("form"));
          const inner = outer.appendChild(document.createElement("div"));
          try {
            dgspay.mountCardForm(inner, window.options);
          } catch (error) {
            return String(error);
          }
        }"""
    )
    assert "outside any <form>" in refusal


def test_a_form_that_is_taken_out_of_the_page_keeps_no_card(page: Page) -> None:
    """By whoever knows nothing of `destroy()`, such as a framework; one that is moved keeps it."""
    type_card(page)
    page.evaluate("window.inputs = [...document.querySelectorAll('#card input')]")
    values = "window.inputs.map((input) => input.value)"
    page.evaluate("document.querySelector('main').append(document.querySelector('#card'))")
    assert page.evaluate(values) == ["5531 8866 5214 2950", "12 / 28", "987"]
    page.evaluate("document.querySelector('#card').replaceChildren()")
    assert page.evaluate(values) == ["", "", ""]


def test_leaving_the_page_empties_the_form(page: Page) -> None:
    type_card(page)
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide'))")
    assert [value(page, field) for field in ("number", "expiry", "cvv")] == ["", "", ""]
    assert page.text_content(".dgspay-brand") == ""


def test_destroyed_it_leaves_nothing_behind(page: Page) -> None:
    type_card(page)
    page.evaluate("window.form.destroy()")
    assert page.inner_html("#card") == ""


def test_it_runs_under_a_strict_policy(page: Page) -> None:
    type_card(page)
    page.keyboard.press("Enter")
    handed_over(page)
    assert page.evaluate("window.violations") == []
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.dgspay-fields')).display")
        == "grid"
    )


def test_a_tampered_module_does_not_run(opened: Opened) -> None:
    # Loaded, which a page is not before its modules were run or refused.
    page = opened("/tampered/")
    assert page.evaluate("[window.tampered, document.querySelector('form')]") == [None, None]


@pytest.mark.acceptance(36, "odd-encryption-key")
def test_a_bad_key_is_refused_when_the_form_is_drawn(page: Page, vectors: dict[str, Any]) -> None:
    for key in vectors["bad_keys"]:
        refusal = page.evaluate(
            """(key) => {
              const place = document.body.appendChild(document.createElement("div"));
              try {
                dgspay.mountCardForm(place, { ...options, key });
              } catch (error) {
                return [error.field, error.message, place.innerHTML];
              }
            }""",
            key,
        )
        assert refusal[0] == "key"
        assert not key or key not in refusal[1]
        assert refusal[2] == ""


def test_without_https_it_says_so(opened: Opened) -> None:
    page = opened(host="shop.test")
    page.locator("#card [role=alert]").get_by_text("not loaded over a secure connection").wait_for()
    assert page.locator("#card input").count() == 0
    for call in ("encryptCard({}, {})", "encryptPin('1234', {})"):
        name = page.evaluate(f"dgspay.{call}.catch((error) => error.name)")
        assert name == "InsecureContextError", call


def test_the_pin_form_checks_the_length_and_encrypts(page: Page, key: str) -> None:
    page.evaluate(
        "() => { dgspay.mountPinForm(document.querySelector('#card'), options).focus(); }"
    )
    page.keyboard.type("12")
    page.keyboard.press("Enter")
    page.locator(ERROR.format("pin")).get_by_text("4 to 6 digits").wait_for()
    page.keyboard.type("34")
    page.keyboard.press("Enter")
    (wire,) = handed_over(page)
    assert open_fields(wire, key) == ["1234"]
    assert sorted(wire) == ["auth_pin_encrypted", "auth_pin_nonce"]
