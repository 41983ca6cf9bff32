"""A device that shows a code and polls (RFC 8628), over HTTP as any device does."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

from idp.flows.register_client import register_client
from policies.registration import DEVICE_CODE
from tests.journeys.scene import Scene

TELEVISION = {
    "client_name": "Television",
    "client_uri": "https://television.example",
    "grant_types": [DEVICE_CODE],
    "token_endpoint_auth_method": "none",
    "application_type": "native",
    "scope": "openid profile email affiliation",
}


def television(scene: Scene) -> dict[str, Any]:
    """A new device has asked for its codes; what it was told, and its `client_id`."""
    with scene.act() as here:
        client_id, _ = register_client(here, TELEVISION)
    form = {"client_id": client_id, "scope": "openid profile email affiliation"}
    return _post(scene.base + "/oauth/device_authorization", form) | {"client_id": client_id}


def poll(scene: Scene, device: dict[str, Any]) -> dict[str, Any]:
    """What the token endpoint says now."""
    form = {"grant_type": DEVICE_CODE, "client_id": device["client_id"], "device_code": device["device_code"]}
    return _post(scene.base + "/oauth/token", form)


def _post(address: str, form: dict[str, str]) -> dict[str, Any]:
    try:
        with urlopen(address, urlencode(form).encode(), timeout=10) as answer:
            return dict(json.load(answer))
    except HTTPError as refusal:
        return dict(json.load(refusal))
