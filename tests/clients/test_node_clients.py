"""openid-client and oauth4webapi, which judge the provider strictly: both are certified relying parties."""

from typing import Any

import pytest

from tests.clients.browser import Browser
from tests.clients.node import talking
from tests.idp.oauth.driver import Party

CALLBACK = "http://127.0.0.1:9/callback"
BYE = "http://127.0.0.1:9/bye"


@pytest.mark.parametrize(
    ("script", "registered"),
    [
        ("openid_client.mjs", {"token_endpoint_auth_method": "client_secret_post"}),
        ("oauth4webapi.mjs", {"token_endpoint_auth_method": "client_secret_basic"}),
        ("oauth4webapi.mjs", {"public": True}),
    ],
    ids=["openid-client", "oauth4webapi", "oauth4webapi-public"],
)
def test_a_client_from_npm_signs_in_refreshes_and_signs_out(
    issuer: Party, browser: Browser, script: str, registered: dict[str, Any]
) -> None:
    client = issuer.client(redirect_uris=[CALLBACK], post_logout_redirect_uris=[BYE], **registered)
    someone = issuer.make.account()
    told = {"redirect_uri": CALLBACK, "post_logout_redirect_uri": BYE, "scope": "openid profile email affiliation"}
    with talking(script, issuer=issuer.base, client_id=client.client_id, secret=client.secret, **told) as program:
        program.say(browser.travel(program.hear()["open"], CALLBACK, someone))
        found = program.hear()
        assert (found["sub"], found["refreshed"], found["rotated"]) == (someone.sub, "aida@kstu.kg", True)
        claims = {name: found["claims"][name] for name in ("sub", "preferred_username", "affiliation", "department")}
        assert claims == {"sub": someone.sub, "preferred_username": "aida", "affiliation": ["employee"],
                          "department": ["0407"]}  # fmt: skip
        assert browser.is_signed_in()
        program.say(browser.travel(program.hear()["open"], BYE))
        assert program.hear() == {"state": True, "refresh": "invalid_grant", "userinfo": "invalid_token"}
    assert not browser.is_signed_in()
