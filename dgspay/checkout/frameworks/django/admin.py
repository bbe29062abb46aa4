"""Orders and problems in Django's admin: read there, and put right through the checkout."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.conf import settings  # type: ignore[import-untyped,import-not-found,unused-ignore]
from django.contrib import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    admin,
    messages,
)
from django.utils.html import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    format_html_join,
)

from dgspay.checkout.frameworks.django.apps import checkout_of_settings
from dgspay.checkout.frameworks.django.models import Attempt, Order, Problem, moment
from dgspay.errors import DGSPayError


def _database() -> str:
    """Return the name of the database that the checkout's store is in."""
    return str(getattr(settings, "DGSPAY_CHECKOUT_DATABASE", "default"))


class _ReadOnly(admin.ModelAdmin):  # type: ignore[misc,unused-ignore]
    """Rows that the checkout alone writes: an order changed by hand could be paid twice."""

    def get_queryset(self, request: Any) -> Any:
        """Read from the database of the checkout's store."""
        return super().get_queryset(request).using(_database())

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        """Never."""
        return False


@admin.register(Order)
class OrderAdmin(_ReadOnly):
    """Orders, newest first, with their attempts and problems."""

    list_display = ("id", "state", "amount", "currency", "created_at", "paid_at")
    list_filter = ("state", "currency")
    search_fields = ("id",)
    fields = (
        ("id", "state"),
        ("amount", "currency"),
        ("created_at", "expires_at", "paid_at", "told_at"),
        "attempts",
        "problems",
    )
    readonly_fields = (
        "id",
        "state",
        "amount",
        "currency",
        "created_at",
        "expires_at",
        "paid_at",
        "told_at",
        "attempts",
        "problems",
    )
    actions = ("replay",)

    @admin.display(description="created", ordering="created")  # type: ignore[untyped-decorator,unused-ignore]
    def created_at(self, order: Any) -> datetime | None:
        """Time at which it was opened."""
        return moment(order.created)

    @admin.display(description="expires", ordering="expires")  # type: ignore[untyped-decorator,unused-ignore]
    def expires_at(self, order: Any) -> datetime | None:
        """Time after which no attempt begins."""
        return moment(order.expires)

    @admin.display(description="paid", ordering="paid")  # type: ignore[untyped-decorator,unused-ignore]
    def paid_at(self, order: Any) -> datetime | None:
        """Time at which it became paid."""
        return moment(order.paid)

    @admin.display(description="handler succeeded")  # type: ignore[untyped-decorator,unused-ignore]
    def told_at(self, order: Any) -> datetime | None:
        """Time at which the shop's handler was through."""
        return moment(order.told)

    def attempts(self, order: Any) -> str:
        """All attempts, oldest first."""
        rows = cast("Any", Attempt).objects.using(_database()).filter(order_id=order.key)
        return str(
            format_html_join(
                "",
                "<p>{}. {} {} {} {}</p>",
                (
                    (one.number, one.method, one.state, one.dgs_reference or "", one.reason or "")
                    for one in rows
                ),
            )
        )

    def problems(self, order: Any) -> str:
        """All problems, oldest first."""
        rows = cast("Any", Problem).objects.using(_database()).filter(order_id=order.key)
        return str(
            format_html_join(
                "", "<p>{}: {}</p>", ((one.resolution or "OPEN", one.detail) for one in rows)
            )
        )

    @admin.action(description="Handle the webhooks of these orders again")  # type: ignore[untyped-decorator,unused-ignore]
    def replay(self, request: Any, chosen: Any) -> None:
        """Replay orders after a bug in a handler was mended."""
        checkout = checkout_of_settings()
        for order in chosen:
            try:
                after = checkout.replay(order.id)
            except DGSPayError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                is_told = after.told_at is not None or not after.is_paid
                words = "nothing is owed" if is_told else "its handler has failed again"
                level = messages.SUCCESS if is_told else messages.ERROR
                self.message_user(request, f"{order.id} was replayed: {words}", level)


@admin.register(Problem)
class ProblemAdmin(_ReadOnly):
    """Problems, those that are open first; giving a resolution resolves one."""

    list_display = ("order", "kind", "detail", "noted_at", "resolution")
    list_filter = (("resolution", admin.EmptyFieldListFilter), "kind")
    fields = ("order", "kind", "detail", "noted_at", "resolution")
    readonly_fields = ("order", "kind", "detail", "noted_at")

    def get_readonly_fields(self, request: Any, obj: Any = None) -> Any:
        """What was resolved stays as it was."""
        is_over = obj is not None and obj.resolution is not None
        return self.fields if is_over else self.readonly_fields

    @admin.display(description="noted", ordering="noted")  # type: ignore[untyped-decorator,unused-ignore]
    def noted_at(self, problem: Any) -> datetime | None:
        """Time at which it was noted."""
        return moment(problem.noted)

    def save_model(self, request: Any, obj: Any, form: Any, change: Any) -> None:
        """Resolve it through the checkout, with who did so."""
        if not obj.resolution:
            return
        reason = f"{obj.resolution} ({request.user.get_username()})"
        checkout_of_settings().resolve(obj.order.id, problem=obj.key, reason=reason)
