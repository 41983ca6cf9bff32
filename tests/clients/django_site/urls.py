"""Two pages that tell whom Django takes the visitor for; mozilla-django-oidc's own; and what it lets a site decide."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import include, path


def who(request: HttpRequest) -> JsonResponse:
    """The home page, and the one after signing out."""
    user = request.user
    return JsonResponse({"user": user.get_username(), "email": getattr(user, "email", "")})


def username(email: str, claims: dict[str, Any]) -> str:
    """What a new user is called."""
    return str(claims["sub"])


def end_session(request: HttpRequest) -> str:
    """Where the browser goes to sign out at the provider as well."""
    bye = request.build_absolute_uri("/bye")
    asked = {"id_token_hint": request.session["oidc_id_token"], "post_logout_redirect_uri": bye}
    return f"{settings.PROVIDER['end_session_endpoint']}?{urlencode(asked)}"


urlpatterns = [path("oidc/", include("mozilla_django_oidc.urls")), path("bye", who), path("", who)]
