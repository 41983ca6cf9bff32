"""Sealing at rest: a value opens in its own place, under its own key, and nowhere else."""

import pytest

from idp.crypto import Vault, digest, new_key, new_token
from idp.errors import Tampered

OLD, NEW, LOOKUP = (bytes([number]) * 32 for number in (1, 2, 3))
PLACE = "person/1/personal_number"
VALUE = "99999999990001"


def vault(**keys: bytes) -> Vault:
    return Vault(keys=keys, active=next(iter(keys)), lookup=LOOKUP)


def test_a_sealed_value_opens_in_its_place_and_shows_nothing() -> None:
    sealed = vault(k1=OLD).seal(VALUE, PLACE)
    assert vault(k1=OLD).open(sealed, PLACE) == VALUE
    assert VALUE.encode() not in sealed


def test_the_same_value_is_never_sealed_alike() -> None:
    assert len({vault(k1=OLD).seal(VALUE, PLACE) for _ in range(100)}) == 100


@pytest.mark.parametrize("place", ["person/2/personal_number", "person/1/birth_date", "", PLACE + "x"])
def test_a_value_copied_to_another_row_or_column_does_not_open(place: str) -> None:
    with pytest.raises(Tampered):
        vault(k1=OLD).open(vault(k1=OLD).seal(VALUE, PLACE), place)


def test_a_value_does_not_open_with_another_key_of_the_same_name_or_with_an_unknown_one() -> None:
    sealed = vault(k1=OLD).seal(VALUE, PLACE)
    for other in (vault(k1=NEW), vault(k2=OLD)):
        with pytest.raises(Tampered):
            other.open(sealed, PLACE)


def test_every_single_changed_byte_is_noticed() -> None:
    sealed = vault(k1=OLD).seal(VALUE, PLACE)
    for index in range(len(sealed)):
        with pytest.raises(Tampered):
            vault(k1=OLD).open(sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1 :], PLACE)


def test_a_value_cut_off_anywhere_is_tampered_with_and_no_crash() -> None:
    sealed = vault(k1=OLD).seal(VALUE, PLACE)
    for length in range(len(sealed)):
        with pytest.raises(Tampered):
            vault(k1=OLD).open(sealed[:length], PLACE)


def test_after_a_rotation_old_values_open_and_new_ones_are_sealed_by_the_new_key() -> None:
    before = vault(k1=OLD).seal(VALUE, PLACE)
    rotated = Vault(keys={"k1": OLD, "k2": NEW}, active="k2", lookup=LOOKUP)
    assert rotated.open(before, PLACE) == VALUE
    after = rotated.seal(VALUE, PLACE)
    assert after.startswith(b"k2:")
    assert vault(k2=NEW).open(after, PLACE) == VALUE


def test_a_refusal_to_open_does_not_show_what_was_sealed() -> None:
    with pytest.raises(Tampered) as told:
        vault(k1=NEW).open(vault(k1=OLD).seal(VALUE, PLACE), PLACE)
    assert VALUE not in str(told.value)


def test_a_fingerprint_finds_equal_values_and_depends_on_the_key() -> None:
    one, other = vault(k1=OLD), Vault(keys={"k1": OLD}, active="k1", lookup=NEW)
    assert one.fingerprint(VALUE) == one.fingerprint(VALUE) != one.fingerprint(VALUE + "0")
    assert one.fingerprint(VALUE) != other.fingerprint(VALUE)


def test_the_vault_shows_no_key() -> None:
    assert "x01" not in repr(vault(k1=OLD))
    assert repr(OLD) not in repr(vault(k1=OLD))


def test_tokens_have_256_bits_and_keys_32_bytes() -> None:
    assert len({new_token() for _ in range(1000)}) == 1000
    assert len(new_token()) == 43
    assert len(new_key()) == 44
    assert len(digest("x")) == 64
