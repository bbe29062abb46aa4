"""Customers, checked when made."""

from __future__ import annotations

import re
from typing import Any

import attrs

from dgspay.models.phones import RWANDA, local_part
from dgspay.models.validators import required_text

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_DIGITS = re.compile(r"[0-9]{1,4}", re.ASCII)


@attrs.frozen(kw_only=True)
class Customer:
    """The person who pays (guide, "Initiate a Mobile Money Payment").

    Attributes:
        email: E-mail address.
        first_name: First name.
        last_name: Last name.
        phone: Phone number, with or without country code: `0788123456`, `788123456` and
            `+250788123456` are the same.
        phone_country_code: Country code of the phone without `+`.
    """

    email: str
    first_name: str
    last_name: str
    phone: str
    phone_country_code: str = RWANDA

    def __attrs_post_init__(self) -> None:
        """Reject what DGS-Pay would refuse, naming the field."""
        required_text(self.email, field="customer.email")
        if not _EMAIL.fullmatch(self.email):
            raise ValueError("customer.email must be an e-mail address such as 'jane@example.com'")
        required_text(self.first_name, field="customer.first_name")
        required_text(self.last_name, field="customer.last_name")
        required_text(self.phone_country_code, field="customer.phone_country_code")
        if not _DIGITS.fullmatch(self.phone_country_code):
            raise ValueError("customer.phone_country_code must be digits such as '250', without +")
        local_part(self.phone, self.phone_country_code, field="customer.phone")

    def to_wire(self) -> dict[str, Any]:
        """Return the fields as the API names them."""
        return {
            "customer_email": self.email,
            "customer_first_name": self.first_name,
            "customer_last_name": self.last_name,
            "customer_phone": local_part(
                self.phone, self.phone_country_code, field="customer.phone"
            ),
            "customer_phone_country_code": self.phone_country_code,
        }
