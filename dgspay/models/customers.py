"""Customers, billing addresses and recipients, checked when made."""

from __future__ import annotations

import re
from typing import Any

import attrs

from dgspay.models.phones import (
    RWANDA,
    Network,
    local_part,
    mobile_local,
    network_for,
    network_name,
)
from dgspay.models.validators import account_number, country_code, optional_text, required_text

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


@attrs.frozen(kw_only=True)
class BankRecipient:
    """A bank account to pay to (guide, "Bank Recipient Fields").

    Attributes:
        bank_key: The bank, as `banks.list` names it.
        account_number: Account number; invisible characters in it are not sent.
        name: The account holder.
        branch: Needed where the bank's `branch_required` is true.
    """

    bank_key: str
    account_number: str
    name: str | None = None
    branch: str | None = None

    def __attrs_post_init__(self) -> None:
        """Reject what DGS-Pay would refuse, naming the field."""
        required_text(self.bank_key, field="recipient.bank_key")
        account_number(self.account_number, field="recipient.account_number")
        optional_text(self.name, field="recipient.name")
        optional_text(self.branch, field="recipient.branch")

    @property
    def destination_type(self) -> str:
        """The vendor's word for this kind of recipient."""
        return "bank"

    def to_wire(self) -> dict[str, Any]:
        """Return the fields as the API names them."""
        return {
            "bank_key": self.bank_key,
            "account_number": account_number(self.account_number, field="recipient.account_number"),
            "name": self.name,
            "branch": self.branch,
        }


@attrs.frozen(kw_only=True)
class MobileMoneyRecipient:
    """A mobile wallet to pay to (guide, "Mobile Money Recipient Fields").

    Attributes:
        msisdn: Rwandan mobile number in any usual form; sent as `+250788123456`.
        network: `MTN` or `Airtel`, in any case; by the prefix of `msisdn` when None. One that does
            not go with the prefix is used as you say, with a `NetworkWarning`.
        country: ISO 3166 code of two letters.
        name: The recipient.
    """

    msisdn: str
    network: Network | str | None = None
    country: str = "RW"
    name: str | None = None

    def __attrs_post_init__(self) -> None:
        """Reject what DGS-Pay would refuse, naming the field."""
        local = mobile_local(self.msisdn, field="recipient.msisdn")
        network = network_for(local, self.network, field="recipient.network")
        if self.network is None:
            object.__setattr__(self, "network", network)  # frozen from here on
        country_code(self.country, field="recipient.country")
        optional_text(self.name, field="recipient.name")

    @property
    def destination_type(self) -> str:
        """The vendor's word for this kind of recipient."""
        return "mobile_money"

    def to_wire(self) -> dict[str, Any]:
        """Return the fields as the API names them."""
        return {
            "msisdn": f"+{RWANDA}{mobile_local(self.msisdn, field='recipient.msisdn')}",
            "network": network_name(self.network or "", field="recipient.network"),
            "country": country_code(self.country, field="recipient.country"),
            "name": self.name,
        }
