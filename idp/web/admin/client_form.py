"""The form of a client: what most people need as fields, all else as JSON; to and from metadata (RFC 7591, 2).

Owns how metadata stands on the page.  What a client may be is for `policies/registration.py` to say.
"""

import json
from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from idp.json_body import NotJson, read_object
from policies.registration import READERS, SCOPES, ClientMetadata, Mistake, plain_metadata, read_metadata

LINES = ("redirect_uris", "post_logout_redirect_uris")
WORDS = ("client_name", "scope", "application_type", "token_endpoint_auth_method", "security_profile")
BOXES = ("require_pkce", "first_party")
FIELDS = {*LINES, *WORDS, *BOXES, "grant_types"}
NEW = ClientMetadata(grant_types=("authorization_code", "refresh_token"), scope=SCOPES, first_party=True)
USUAL = plain_metadata(ClientMetadata())


def fields_of(metadata: ClientMetadata, system: str | None) -> dict[str, Any]:
    """What stands in the fields for a client; `rest` is all that has no field and is not as usual."""
    told = plain_metadata(metadata)
    usual = USUAL | {"response_types": _following(told)}
    rest = {name: value for name, value in told.items() if name not in FIELDS and usual.get(name) != value}
    return {
        **{name: getattr(metadata, name) or "" for name in (*WORDS, *BOXES)},
        **{name: "\n".join(getattr(metadata, name)) for name in LINES},
        "scope": " ".join(metadata.scope),
        "grant_types": metadata.grant_types,
        "system": system or "",
        "rest": json.dumps(rest, ensure_ascii=False, indent=2, sort_keys=True) if rest else "",
    }


def _following(told: dict[str, Any]) -> list[str]:
    """The response types that go with the grants, when nothing is said about them."""
    grants = {name: value for name, value in told.items() if name == "grant_types"}
    return list(read_metadata(grants)[0].response_types)


def fields_sent(form: MultiDict[str, str]) -> dict[str, Any]:
    """What was typed, to be shown again when it can't be registered."""
    return {
        **{name: form.get(name, "") for name in (*WORDS, *LINES, "system", "rest")},
        **{name: name in form for name in BOXES},
        "grant_types": form.getlist("grant_types"),
    }


def registration_sent(fields: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Mistake, ...]]:
    """The metadata that the fields say, and what is wrong with the JSON beside them."""
    registration = {
        **{name: fields[name].strip() or None for name in WORDS},
        **{name: fields[name].split() for name in LINES},
        **{name: fields[name] for name in BOXES},
        "scope": fields["scope"],
        "grant_types": list(fields["grant_types"]),
    }
    try:
        rest = read_object(fields["rest"].encode("utf-8", "surrogatepass") if fields["rest"].strip() else b"{}")
    except NotJson as error:
        return registration, (Mistake("rest", str(error)),)
    unknown = [Mistake("rest", f"{name}: is not known") for name in rest if name not in READERS]
    twice = [Mistake("rest", f"{name}: has a field of its own") for name in rest if name in FIELDS]
    return rest | registration, (*unknown, *twice)
