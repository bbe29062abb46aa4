"""Recipients of payouts, checked when made."""

from __future__ import annotations

from typing import Any

import attrs

from dgspay.models.phones import RWANDA, Network, mobile_local, network_for, network_name
from dgspay.models.validators import account_number, country_code, optional_text, required_text


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
