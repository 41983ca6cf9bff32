"""How an answer travels to the client (OAuth 2.0 Multiple Response Types, 2.1; Form Post Response Mode; JARM)."""

PLAIN = ("query", "fragment", "form_post")
SIGNED = ("query.jwt", "fragment.jwt", "form_post.jwt")
FOR_FRAGMENTS = frozenset({"id_token", "token"})
RESPONSE_MODES = (*PLAIN, "jwt", *SIGNED)


def mode_for(asked: str | None, response_type: str) -> str:
    """The mode of the answer: the one asked for if it may carry this, else the usual one (Multiple Response Types, 5).

    What a fragment carries must not go into a query: it would end in logs.
    """
    usual = "fragment" if FOR_FRAGMENTS.intersection(response_type.split()) else "query"
    if asked == "jwt":
        return f"{usual}.jwt"
    if asked not in RESPONSE_MODES or not mode_is_safe(asked, response_type):
        return usual
    return asked


def mode_is_safe(mode: str, response_type: str) -> bool:
    """Whether this may carry that (Multiple Response Types, 5; JARM, 2.3.1: encrypted answers alone might differ)."""
    return not (mode.startswith("query") and FOR_FRAGMENTS.intersection(response_type.split()))
