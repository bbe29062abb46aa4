"""The main paths of the hosted payment page once more, in a real Firefox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.emulator.in_browser.test_payment_pages import (
    test_a_comma_never_multiplies_what_is_paid,
    test_a_flexible_amount_stays_within_its_limits,
    test_a_link_is_paid_by_phone,
    test_a_payer_who_cancels_may_try_again,
    test_other_cards_ask_for_a_code_or_an_address,
)
from tests.emulator.in_browser.test_payment_pages_attacked import (
    test_a_second_tab_and_the_same_number_elsewhere_show_the_request_that_is_out,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = [
    "test_a_comma_never_multiplies_what_is_paid",
    "test_a_flexible_amount_stays_within_its_limits",
    "test_a_link_is_paid_by_phone",
    "test_a_payer_who_cancels_may_try_again",
    "test_a_second_tab_and_the_same_number_elsewhere_show_the_request_that_is_out",
    "test_other_cards_ask_for_a_code_or_an_address",
]


@pytest.fixture(scope="module")
def chromium(firefox: Browser) -> Browser:
    """Have the tests that are named here run in the other browser."""
    return firefox
