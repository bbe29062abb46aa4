"""Billing addresses, checked when made."""

from __future__ import annotations

from typing import Any

import attrs

from dgspay.models.validators import country_code, optional_text, required_text


@attrs.frozen(kw_only=True)
class BillingAddress:
    """The address a card's bill goes to (guide, "AVS Address Verification").

    Attributes:
        line1: Street and number.
        country: ISO 3166 code of two letters such as `RW`.
        line2: Flat, floor or similar.
        city: City.
        state: State or province.
        postal_code: Postal code.
    """

    line1: str
    country: str
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None

    def __attrs_post_init__(self) -> None:
        """Reject what DGS-Pay would refuse, naming the field."""
        required_text(self.line1, field="address.line1")
        country_code(self.country, field="address.country")
        for name in ("line2", "city", "state", "postal_code"):
            optional_text(getattr(self, name), field=f"address.{name}")

    def to_wire(self) -> dict[str, Any]:
        """Return the fields as the API names them."""
        return {
            "avs_line1": self.line1,
            "avs_line2": self.line2,
            "avs_city": self.city,
            "avs_state": self.state,
            "avs_country": country_code(self.country, field="address.country"),
            "avs_postal_code": self.postal_code,
        }
