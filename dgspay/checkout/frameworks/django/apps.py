"""The app's set-up, and the checkout that its settings name."""

from __future__ import annotations

from django.apps import AppConfig  # type: ignore[import-untyped,import-not-found,unused-ignore]
from django.conf import settings  # type: ignore[import-untyped,import-not-found,unused-ignore]
from django.core.exceptions import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    ImproperlyConfigured,
)
from django.utils.module_loading import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    import_string,
)

from dgspay.checkout.checkout import Checkout


class CheckoutConfig(AppConfig):  # type: ignore[misc,unused-ignore]
    """The app `dgspay.checkout.frameworks.django`."""

    name = "dgspay.checkout.frameworks.django"
    label = "dgspay_checkout"
    verbose_name = "DGS-Pay checkout"


def checkout_of_settings() -> Checkout:
    """Return the checkout that the setting `DGSPAY_CHECKOUT` names.

    Raises:
        ImproperlyConfigured: the setting is missing, or names something else.
    """
    name = getattr(settings, "DGSPAY_CHECKOUT", None)
    if not isinstance(name, str):
        raise ImproperlyConfigured(
            "DGSPAY_CHECKOUT must be the dotted path of the shop's Checkout, such as "
            "'shop.payments.checkout'"
        )
    try:
        found = import_string(name)
    except ImportError as error:
        raise ImproperlyConfigured(f"DGSPAY_CHECKOUT: {error}") from error
    if not isinstance(found, Checkout):
        raise ImproperlyConfigured(
            f"DGSPAY_CHECKOUT names a {type(found).__name__}; Django needs a Checkout"
        )
    return found
