"""The OAuth 2 / OpenID Connect provider (RFC 6749, OpenID Connect Core 1.0; security.md, OAuth server).

One file per endpoint and per grant.  Authlib supplies the skeleton of the token and revocation endpoints (its grants,
PKCE check and client authentication); what it lacks or gets wrong is ours (stack.md).  Nothing here signs anybody in:
the sign-in pages belong to `idp/web/signin/`, which meets this package in `interaction.py` only.
"""

from flask import Flask
from flask_wtf import CSRFProtect

from idp.oauth import cors
from idp.oauth.authorize import authorize
from idp.oauth.blueprint import blueprint
from idp.oauth.check_session import check_session
from idp.oauth.clients import forget_changed_clients
from idp.oauth.device_authorization import device_authorization
from idp.oauth.introspection import introspect
from idp.oauth.logout import logout
from idp.oauth.metadata import jwks, metadata
from idp.oauth.registration import change_registration, register, remove_registration, show_registration
from idp.oauth.revocation import revoke
from idp.oauth.token import token
from idp.oauth.userinfo import userinfo

__all__ = [
    "authorize",
    "change_registration",
    "check_session",
    "device_authorization",
    "init_oauth",
    "introspect",
    "jwks",
    "logout",
    "metadata",
    "register",
    "remove_registration",
    "revoke",
    "show_registration",
    "token",
    "userinfo",
]


def init_oauth(app: Flask, csrf: CSRFProtect) -> None:
    """Add the provider's endpoints to `app`.

    They take no form token: programs call them, or a client's page posts to them by standard (OpenID Connect Core,
    3.1.2.1; RP-Initiated Logout, 2), and none of them changes anything on the word of a cookie alone.
    """
    app.register_blueprint(blueprint)
    csrf.exempt(blueprint)
    cors.init_app(app)
    with app.app_context():
        forget_changed_clients()
