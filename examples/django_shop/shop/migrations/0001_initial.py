"""The table of parcels."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Make it."""

    initial = True
    operations = [
        migrations.CreateModel(
            "Parcel",
            [
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("order", models.CharField(max_length=200, unique=True)),
                ("sent_at", models.DateTimeField(auto_now_add=True)),
            ],
        )
    ]
