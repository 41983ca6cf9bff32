"""What is signed for a client under a security profile, and with what.  Regulation annex; FAPI 2.0 Security Profile, 5.4.1.

Leaves alone what such a client signs itself: that is judged when it comes.
"""

from collections.abc import Mapping
from typing import Any

WEAK = "RS256"  # the default of the standards, which the profile does not allow
TOO_WEAK = f"the security profile does not allow {WEAK}"
STRONG = "ES256"
SIGNED_FOR_CLIENTS = (
    "id_token_signed_response_alg",
    "access_token_signed_response_alg",
    "authorization_signed_response_alg",
    "introspection_signed_response_alg",
    "userinfo_signed_response_alg",
)


def strictly_signed(said: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata `said`; where a security profile holds, what is signed is signed strongly if nothing else is said.

    What userinfo tells is signed only where that was asked for, or where it is encrypted, which needs a signature
    inside (OIDC Core, 5.3.2).
    """
    if said.get("security_profile") is None:
        return dict(said)
    optional = "userinfo_signed_response_alg"
    signed = {name for name in SIGNED_FOR_CLIENTS if name != optional or said.get("userinfo_encrypted_response_alg")}
    return dict.fromkeys(signed, STRONG) | dict(said)
