"""The public keys of a client: registered with it, or fetched from where it publishes them (RFC 7591, 2).

Owns what is remembered of the fetched ones, per process.  Nobody waits for somebody else's fetch: while one request
asks again, the others go on with the keys that are known.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from joserfc.jwk import Key, KeySet

from idp.jose import read_jwks
from idp.json_body import NotJson, read_json
from idp.log import log
from idp.oauth.clients import RegisteredClient
from idp.oauth.outbound import SECONDS, Unreachable, fetch
from idp.service import Service

MEDIA_TYPES = "application/jwk-set+json, application/json"
FRESH = timedelta(minutes=5)
AGAIN = timedelta(minutes=1)  # between fetches for a key that is not among the known ones
AFTER_FAILURE = timedelta(seconds=10)
FETCHING = timedelta(seconds=SECONDS)
MOST = 1_000  # addresses that are remembered


class Fetched(NamedTuple):
    """What an address gave: keys, or None.  Asked again after `until`; for an unknown key already after `again`."""

    keys: KeySet | None
    until: datetime
    again: datetime


_fetched: dict[str, Fetched] = {}


def client_keys(
    service: Service, client: RegisteredClient, wanted: Callable[[Key], bool] | None = None
) -> KeySet | None:
    """Its keys, or None when it has none that can be used.

    `wanted` tells the key that is looked for: where none of the fetched ones is it, the client may have new keys, and
    is asked for them, once a minute.
    """
    if client.metadata.jwks is not None:
        return _registered(json.dumps(client.metadata.jwks, sort_keys=True))
    if client.metadata.jwks_uri is None:
        return None
    return _published(service, client.metadata.jwks_uri, wanted)


def named(kid: str | None) -> Callable[[Key], bool]:
    """The key that a JWT names by `kid`; any, where it names none."""
    return lambda key: kid is None or key.kid == kid


def forget_fetched_keys() -> None:
    """As if nothing had been fetched yet."""
    _fetched.clear()


@lru_cache(maxsize=MOST)
def _registered(document: str) -> KeySet | None:
    keys = read_jwks(json.loads(document))
    return keys if isinstance(keys, KeySet) else None


def _published(service: Service, address: str, wanted: Callable[[Key], bool] | None) -> KeySet | None:
    now, known = service.clock.now(), _fetched.get(address)
    if known is None:
        return _fetch(service, address, now, now)
    fresh = now < known.until
    if (fresh and _has(known.keys, wanted)) or (fresh and now < known.again):
        return known.keys
    # the others use what there is, as long as this one may take
    _fetched[address] = known._replace(until=max(known.until, now + FETCHING), again=now + FETCHING)
    return _fetch(service, address, now, now + AGAIN if fresh else now)


def _has(keys: KeySet | None, wanted: Callable[[Key], bool] | None) -> bool:
    return keys is not None and (wanted is None or any(wanted(key) for key in keys))


def _fetch(service: Service, address: str, now: datetime, again: datetime) -> KeySet | None:
    """The keys that are there now; a failure is remembered for a moment, so that it does not cost every request."""
    found = _read(service, address)
    if len(_fetched) >= MOST:
        _fetched.clear()
    if isinstance(found, KeySet):
        _fetched[address] = Fetched(found, now + FRESH, again)
        return found
    log.warning("the keys of a client can't be had", address=address, reason=found)
    _fetched[address] = Fetched(None, now + AFTER_FAILURE, now + AFTER_FAILURE)
    return None


def _read(service: Service, address: str) -> KeySet | str:
    try:
        document: Any = read_json(fetch(service, address, MEDIA_TYPES))
    except (Unreachable, NotJson) as error:
        return error.reason if isinstance(error, Unreachable) else "no JSON"
    return read_jwks(document)
