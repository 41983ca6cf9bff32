"""The flows a provider is measured by: what is sent, and which answers are right.

A turn of `sign-on` is an authorization request with a live session and the redemption of its code; of `sign-in`, a
fresh browser's whole way over the pages, its password, and the code.  Endpoints come from the provider's discovery.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tests.bench.browser import Browser, path_of
from tests.bench.load import HANDS, Connection, Turn, WrongError
from tests.bench.provider import CALLBACK, DISCOVERY, Client, Provider
from tests.idp.oauth.driver import CHALLENGE, VERIFIER, basic

FLOWS = ("discovery", "JWKS", "client credentials", "refresh", "sign-on", "sign-in")
ACCESS, REFRESH, ID = "access_token", "refresh_token", "id_token"
OPAQUE = "opaque"
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]


@dataclass
class Flows:
    """All flows on one provider, with what the hands carry from turn to turn."""

    provider: Provider
    browsers: list[Browser] = field(default_factory=list)  # with a live session each
    refresh_tokens: list[str] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)  # flow -> the tokens its answer brings

    def __post_init__(self) -> None:
        self._numbers = count()
        self._connection = Connection(self.provider.address)
        self._discovery = self._get(DISCOVERY)
        self._metadata = json.loads(self._discovery)
        self._authorize, self._token, self._jwks_at = (
            path_of(self._metadata[name]) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        )
        self._jwks = self._get(self._jwks_at)
        self._keys = KeySet.import_key_set(json.loads(self._jwks))

    def turn(self, flow: str) -> Turn:
        """The flow, ready: it was gone through once by each hand that must have something first.

        Raises `WrongError` where the provider can't be driven through it.
        """
        turns: dict[str, tuple[Callable[[], None], Turn]] = {
            "discovery": (self._nothing, self.discovery),
            "JWKS": (self._nothing, self.jwks),
            "client credentials": (self._nothing, self.client_credentials),
            "refresh": (self._obtain_refresh_tokens, self.refresh),
            "sign-on": (self._open_sessions, self.sign_on),
            "sign-in": (self._nothing, self.sign_in),
        }
        prepare, turn = turns[flow]
        self._connection.close()  # a server ends a connection that was silent during the flow before
        prepare()
        turn(self._connection, 0)
        return turn

    # --- turns

    def discovery(self, connection: Connection, hand: int) -> None:
        _same(connection, DISCOVERY, self._discovery)

    def jwks(self, connection: Connection, hand: int) -> None:
        _same(connection, self._jwks_at, self._jwks)

    def client_credentials(self, connection: Connection, hand: int) -> None:
        form = {"grant_type": "client_credentials"} | self.provider.more
        self._tokens("client credentials", connection, self.provider.machine, form, {ACCESS})

    def refresh(self, connection: Connection, hand: int) -> None:
        old = self.refresh_tokens[hand]
        form = {"grant_type": "refresh_token", "refresh_token": old}
        answer = self._tokens("refresh", connection, self.provider.client, form, {ACCESS, REFRESH})
        if answer[REFRESH] == old:
            raise WrongError("the refresh token was not replaced")
        self.refresh_tokens[hand] = answer[REFRESH]

    def sign_on(self, connection: Connection, hand: int) -> None:
        target, state = self._authorization_request()
        answer = self.browsers[hand].open(connection, target)
        if answer.status not in (302, 303):
            raise WrongError(f"{answer.status} for an authorization request with a live session")
        self._redeem("sign-on", connection, answer.header("location"), state)

    def sign_in(self, connection: Connection, hand: int) -> None:
        target, state = self._authorization_request()
        there = Browser().sign_in(connection, target, self.provider.people[hand])
        self._redeem("sign-in", connection, there, state)

    # --- steps of turns

    def _authorization_request(self) -> tuple[str, str]:
        state = f"state-{next(self._numbers)}"
        query = {
            "response_type": "code",
            "client_id": self.provider.client.client_id,
            "redirect_uri": CALLBACK,
            "scope": self.provider.scope,
            "state": state,
            "nonce": f"nonce-of-{state}",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return f"{self._authorize}?{urlencode(query | self.provider.more)}", state

    def _redeem(self, flow: str, connection: Connection, location: str, state: str) -> dict[str, Any]:
        given = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        if not location.startswith(CALLBACK) or given.get("state") != state or "code" not in given:
            raise WrongError(f"no code in {location[:200]}")
        form = {
            "grant_type": "authorization_code",
            "code": given["code"],
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        return self._tokens(flow, connection, self.provider.client, form, {ACCESS, REFRESH, ID})

    def _tokens(
        self, flow: str, connection: Connection, client: Client, form: dict[str, str], wanted: set[str]
    ) -> dict[str, Any]:
        authorization = {"Authorization": basic(client.client_id, client.secret)}
        answer = connection.exchange("POST", self._token, authorization, urlencode(form))
        if answer.status != 200:
            raise WrongError(f"{answer.status} at the token endpoint: {answer.body.decode()[:200]}")
        given = dict(json.loads(answer.body))
        if missing := {name for name in wanted if not given.get(name)}:
            raise WrongError(f"without {', '.join(sorted(missing))}")
        self._look_at(flow, given)
        return given

    def _look_at(self, flow: str, given: dict[str, Any]) -> None:
        """The first tokens of a flow are verified; later ones must be signed in the same way."""
        brought = [f"{name.removesuffix('_token')} {alg_of(given[name])}" for name in (ACCESS, ID) if given.get(name)]
        looks = ", ".join([*brought, *(["refresh"] if given.get(REFRESH) else [])])
        if flow not in self.seen:
            self._verify(given)
            self.seen[flow] = looks
        elif self.seen[flow] != looks:
            raise WrongError(f"brought {looks}, first {self.seen[flow]}")

    def _verify(self, given: dict[str, Any]) -> None:
        for name in (ACCESS, ID):
            if given.get(name) and alg_of(given[name]) != OPAQUE:
                try:
                    claims = jwt.decode(given[name], self._keys, algorithms=ALGORITHMS).claims
                except JoseError as error:
                    raise WrongError(f"{name}: {error}") from error
                if claims.get("iss", "").rstrip("/") != self._metadata["issuer"].rstrip("/"):
                    raise WrongError(f"{name} is of another issuer")

    # --- what hands need first

    def _nothing(self) -> None:
        pass

    def _open_sessions(self) -> None:
        for hand in range(len(self.browsers), HANDS):
            browser = Browser()
            target, _ = self._authorization_request()
            browser.sign_in(self._connection, target, self.provider.people[hand])
            self.browsers.append(browser)

    def _obtain_refresh_tokens(self) -> None:
        self._open_sessions()
        for browser in self.browsers[len(self.refresh_tokens) :]:
            target, state = self._authorization_request()
            location = browser.open(self._connection, target).header("location")
            self.refresh_tokens.append(self._redeem("first tokens", self._connection, location, state)[REFRESH])

    def _get(self, target: str) -> bytes:
        answer = self._connection.exchange("GET", target)
        if answer.status != 200:
            raise WrongError(f"{answer.status} at {target}")
        return answer.body


def alg_of(token: str) -> str:
    """What a JWT says it is signed with; `opaque` for a token that is none."""
    header, dot, _ = token.partition(".")
    if not dot:
        return OPAQUE
    return str(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["alg"])


def _same(connection: Connection, target: str, expected: bytes) -> None:
    answer = connection.exchange("GET", target)
    if answer.status != 200 or answer.body != expected:
        raise WrongError(f"{answer.status} at {target}, or another document than at first")
