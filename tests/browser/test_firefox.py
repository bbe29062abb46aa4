"""The main paths of the checkout and of the card form once more, in a real Firefox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.test_checkout import (
    bank,
    page,
    payer,
    shop,
    test_a_card_with_pin_and_code_from_the_keyboard_alone,
    test_a_double_click_sends_one_prompt,
    test_a_reload_and_a_second_tab_show_the_prompt_that_is_out,
    test_a_request_that_never_arrived_can_be_sent_again,
    test_after_a_decline_the_card_is_as_it_was_entered,
    test_an_order_is_cancelled_after_a_question,
    test_mobile_money_from_the_number_to_the_receipt,
    test_the_billing_address_has_a_list_of_countries,
    test_the_network_follows_the_number_and_only_warns,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = [
    "bank",
    "page",
    "payer",
    "shop",
    "test_a_card_with_pin_and_code_from_the_keyboard_alone",
    "test_a_double_click_sends_one_prompt",
    "test_a_reload_and_a_second_tab_show_the_prompt_that_is_out",
    "test_a_request_that_never_arrived_can_be_sent_again",
    "test_after_a_decline_the_card_is_as_it_was_entered",
    "test_an_order_is_cancelled_after_a_question",
    "test_mobile_money_from_the_number_to_the_receipt",
    "test_the_billing_address_has_a_list_of_countries",
    "test_the_network_follows_the_number_and_only_warns",
]


@pytest.fixture(scope="module")
def chromium(firefox: Browser) -> Browser:
    """Have the tests that are named here run in the other browser."""
    return firefox
