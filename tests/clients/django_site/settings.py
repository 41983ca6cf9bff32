"""The settings, as the documentation of mozilla-django-oidc has them.

What differs from test to test comes as JSON in the environment (`DJANGO_SITE`).
"""

import json
import os
from typing import Any

TOLD: dict[str, Any] = json.loads(os.environ["DJANGO_SITE"])
PORT = TOLD["port"]
PROVIDER = TOLD["provider"]  # its metadata: this client does not look for itself

SECRET_KEY = "only-for-this-test"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.clients.django_site.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "mozilla_django_oidc"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": TOLD["database"]}}
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "mozilla_django_oidc.middleware.SessionRefresh",
]
AUTHENTICATION_BACKENDS = ["mozilla_django_oidc.auth.OIDCAuthenticationBackend"]
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/bye"
LOGGING = {  # what goes wrong is told where pytest shows it
    "version": 1,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {"django.request": {"handlers": ["stderr"], "level": "ERROR"}},
}
ALLOW_LOGOUT_GET_METHOD = True

OIDC_RP_CLIENT_ID = TOLD["client_id"]
OIDC_RP_CLIENT_SECRET = TOLD["secret"]
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_RP_SCOPES = "openid profile email"
OIDC_USE_PKCE = True
OIDC_OP_AUTHORIZATION_ENDPOINT = PROVIDER["authorization_endpoint"]
OIDC_OP_TOKEN_ENDPOINT = PROVIDER["token_endpoint"]
OIDC_OP_USER_ENDPOINT = PROVIDER["userinfo_endpoint"]
OIDC_OP_JWKS_ENDPOINT = PROVIDER["jwks_uri"]
OIDC_STORE_ID_TOKEN = True
OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS = TOLD["renew_after"]
OIDC_USERNAME_ALGO = "tests.clients.django_site.urls.username"
OIDC_OP_LOGOUT_URL_METHOD = "tests.clients.django_site.urls.end_session"
