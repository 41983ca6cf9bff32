"""RSA keys for tests: making one takes a quarter of a second, so each test is handed the ones that were made before.

Within a test two keys are two keys.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from typing import Any

import pytest
from joserfc.jwk import RSAKey

make_key = RSAKey.generate_key


@cache
def _nth_key(number: int, bits: int) -> Any:
    return make_key(bits).raw_value


@contextmanager
def cheap_rsa_keys() -> Iterator[None]:
    """While it lasts, `RSAKey.generate_key` gives the first key of all, then the second, and so on."""
    numbers = count()

    def generate(bits: int, parameters: Any = None, private: bool = True, auto_kid: bool = False) -> RSAKey:
        key = RSAKey.import_key(_nth_key(next(numbers), bits), parameters)
        if auto_kid:
            key.ensure_kid()
        return key

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RSAKey, "generate_key", generate)
        yield
