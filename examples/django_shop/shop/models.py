"""What the shop sells, and what it has sent."""

from django.db import models


class Parcel(models.Model):
    """A parcel that goes out once its order is paid."""

    order = models.CharField(max_length=200, unique=True)
    sent_at = models.DateTimeField(auto_now_add=True)
