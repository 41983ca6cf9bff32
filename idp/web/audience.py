"""For whom a path is: programs, or people with browsers.

The path alone tells, before any route is found: also a request that no route takes, or that fails, is answered in the
words of whoever asked.  Programs have no cookie session, no sign-in session, no language and no form token.
`idp/web/guard.py` holds its table against this when the service starts.
"""

PROGRAMS = ("/api/", "/health/", "/oauth/", "/.well-known/")
PEOPLE = ("/oauth/authorize", "/oauth/logout")  # a browser comes here, though clients send it


def for_programs(path: str) -> bool:
    """Whether a program asks for `path`."""
    return path.startswith(PROGRAMS) and path not in PEOPLE
