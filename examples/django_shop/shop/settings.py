"""Settings of the shop: everything that differs between machines is in the environment."""

import os
from pathlib import Path

BASE_URL = os.environ.get("SHOP_URL", "http://127.0.0.1:8000")
DATABASE = os.environ.get("SHOP_DATABASE", str(Path(__file__).parent.parent / "shop.sqlite3"))

SECRET_KEY = os.environ.get("SECRET_KEY", "of a shop on this machine only")
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
DEBUG = False
ROOT_URLCONF = "shop.urls"
USE_TZ = True
TIME_ZONE = "Africa/Kigali"
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "dgspay.checkout.frameworks.django",
    "shop",
]
DGSPAY_CHECKOUT = "shop.payments.checkout"

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE}}

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
