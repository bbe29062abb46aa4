"""Tables of a checkout's store, for the admin to read. Django makes and changes none of them."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import models  # type: ignore[import-untyped,import-not-found,unused-ignore]


class Order(models.Model):  # type: ignore[misc,unused-ignore]
    """An order, as the store has it; `checkout.order(id)` is what a program asks."""

    key = models.BigAutoField(primary_key=True)
    account = models.BigIntegerField()
    id = models.TextField()
    amount = models.TextField()
    currency = models.TextField()
    state = models.TextField()
    created = models.FloatField(db_column="created_at")
    expires = models.FloatField(db_column="expires_at", null=True)
    paid = models.FloatField(db_column="paid_at", null=True)
    told = models.FloatField(db_column="told_at", null=True)

    class Meta:
        """The store's table."""

        managed = False
        db_table = "dgspay_orders"
        ordering = ("-key",)

    def __str__(self) -> str:
        """Its id."""
        return str(self.id)


class Attempt(models.Model):  # type: ignore[misc,unused-ignore]
    """An attempt to pay an order."""

    # The table's key is of two columns; SQLite and PostgreSQL both tell its rows apart by these.
    order = models.ForeignKey(
        Order, models.DO_NOTHING, db_column="order_key", related_name="attempts"
    )
    number = models.IntegerField(primary_key=True)
    method = models.TextField()
    state = models.TextField()
    dgs_reference = models.TextField(null=True)
    reason = models.TextField(null=True)
    asked = models.FloatField(db_column="asked_at")

    class Meta:
        """The store's table."""

        managed = False
        db_table = "dgspay_order_attempts"
        ordering = ("number",)


class Problem(models.Model):  # type: ignore[misc,unused-ignore]
    """Something that a person has to look at; resolved once it has a resolution."""

    key = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(
        Order, models.DO_NOTHING, db_column="order_key", related_name="problems"
    )
    kind = models.TextField()
    subject = models.IntegerField(null=True)
    detail = models.TextField()
    noted = models.FloatField(db_column="noted_at")
    resolution = models.TextField(null=True)

    class Meta:
        """The store's table."""

        managed = False
        db_table = "dgspay_order_problems"
        ordering = ("key",)

    def __str__(self) -> str:
        """Its kind and order."""
        return f"{self.kind} of {self.order}"


def moment(seconds: float | None) -> datetime | None:
    """Return a Unix time as the aware datetime that a template shows in the shop's zone."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
