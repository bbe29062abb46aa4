"""The HTTP status of a delivery that `verify` did not accept: one mapping for every receiver."""

from __future__ import annotations

import pytest

from dgspay import errors
from dgspay.webhooks.responses import response_to


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.SignatureError("it is not signed"), 401),
        (errors.WrongEnvironmentError("it is a simulated event"), 403),
        (errors.DecodeError("it is not JSON"), 422),
    ],
)
def test_each_reason_has_its_status(
    error: errors.SignatureError | errors.DecodeError, status: int
) -> None:
    assert response_to(error).status == status
