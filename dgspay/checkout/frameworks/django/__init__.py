"""A Django app for a checkout: routes, orders and problems in the admin, and the sweep.

In `settings.py`, where `shop/payments.py` has `checkout = Checkout(...)`:

    INSTALLED_APPS = [..., "dgspay.checkout.frameworks.django"]
    DGSPAY_CHECKOUT = "shop.payments.checkout"

in `urls.py`, under the path of the checkout's `url`:

    from dgspay.checkout.frameworks.django.urls import urls
    urlpatterns = [path("dgspay/", include(urls())), ...]

and every minute, from cron: `python manage.py dgspay_sweep`.

The admin reads the tables of the checkout's store: have it keep orders in Django's own database
(`SqliteOrders(DATABASES["default"]["NAME"])`, or `PostgresOrders` on the same server), or name
another one in `DGSPAY_CHECKOUT_DATABASE`.
"""
