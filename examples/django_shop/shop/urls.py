"""Addresses of the shop."""

from django.contrib import admin
from django.urls import include, path

from dgspay.checkout.frameworks.django.urls import urls
from shop.views import buy

urlpatterns = [
    path("buy/<str:order_id>", buy),
    path("dgspay/", include(urls())),
    path("admin/", admin.site.urls),
]
