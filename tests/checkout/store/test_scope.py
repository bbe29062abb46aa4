"""Times and limits of a checkout are checked when they are set."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dgspay.checkout import Limits, Timing
from dgspay.errors import ConfigError


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf, True, "300", None])
@pytest.mark.parametrize("name", ["mobile_money_lifetime", "handler_lease", "journal"])
def test_a_time_that_is_none_is_refused(name: str, seconds: Any) -> None:
    with pytest.raises(ConfigError):
        Timing(**{name: seconds})


@pytest.mark.parametrize("count", [0, -1, True, 1.5, None])
def test_a_limit_that_is_none_is_refused(count: Any) -> None:
    with pytest.raises(ConfigError, match="attempts must be a whole number"):
        Limits(attempts=count)
    with pytest.raises(ConfigError, match="handler_tries must be"):
        Timing(handler_tries=count)


def test_whole_seconds_are_taken_and_the_first_look_up_may_be_at_once() -> None:
    assert Timing(doubt=60).doubt == 60.0
    assert Timing(first_look_up=0).first_look_up == 0.0
    with pytest.raises(ConfigError, match="first_look_up must be 0 seconds or more"):
        Timing(first_look_up=-1)
