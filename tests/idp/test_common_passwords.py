"""The list of common and leaked passwords, made into a filter and read back."""

import hashlib
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from idp.cli.passwords import passwords
from idp.common_passwords import CommonPasswords, build, digest_of, digests
from idp.errors import ConfigurationError
from idp.service import build_service
from tests.builders import settings_for

LEAKED = b"\n".join(
    f"{hashlib.sha1(word).hexdigest().upper()}:{count}".encode()
    for word, count in ((b"kumbez-2019", 7), (b"ala-archa", 1))
)


def made(folder: Path, content: bytes, *more: str) -> tuple[Path, str]:
    listed, filter_file = folder / "listed.txt", folder / "filter"
    listed.write_bytes(content)
    result = CliRunner().invoke(passwords, ["build-filter", str(listed), str(filter_file), *more])
    return filter_file, result.output


def test_a_word_list_becomes_a_filter_that_the_service_reads(tmp_path: Path) -> None:
    filter_file, told = made(tmp_path, "Жолборс\r\n\nkumbez-2019\n".encode())
    assert told.startswith("2 passwords, ")
    built = build_service(settings_for("sqlite://", common_passwords=filter_file))
    listed = {
        word for word in ("Жолборс", "kumbez-2019", "Kumbez-2019!", "password1") if word in built.common_passwords
    }
    assert listed == {"Жолборс", "kumbez-2019", "password1"}, "the list that ships counts as well"
    assert "Ысык-Көл 2026 tolkun" not in built.common_passwords


def test_leaked_ones_are_taken_from_a_count_on(tmp_path: Path) -> None:
    filter_file, _ = made(tmp_path, LEAKED, "--leaked", "--least", "2")
    found = CommonPasswords(filter_file)
    assert ("kumbez-2019" in found, "ala-archa" in found) == (True, False)


@pytest.mark.parametrize("line", [b"nothing", b"00:1", b"zz" * 20 + b":1", b"00" * 20 + b":many", b"00" * 20])
def test_a_line_that_is_none_is_named_and_no_file_is_left(tmp_path: Path, line: bytes) -> None:
    filter_file, told = made(tmp_path, LEAKED + b"\n" + line, "--leaked")
    assert "line 3 is not SHA1:count" in told
    assert not filter_file.exists()


@pytest.mark.parametrize(
    "spoil", [lambda raw: raw[:-1], lambda raw: raw[:40], lambda raw: b"x" + raw[1:], lambda raw: b""]
)
def test_the_service_does_not_start_with_a_damaged_filter(tmp_path: Path, spoil: object) -> None:
    filter_file, _ = made(tmp_path, b"kumbez-2019")
    filter_file.write_bytes(spoil(filter_file.read_bytes()))  # type: ignore[operator]
    with pytest.raises(ConfigurationError, match=r"common_passwords: .* is no filter of passwords"):
        build_service(settings_for("sqlite://", common_passwords=filter_file))


@given(words=st.lists(st.text(min_size=1).filter(lambda word: not set(word) & set("\r\n")), max_size=30, unique=True))
def test_no_listed_password_is_missed(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    content = build(map(digest_of, words), len(words))
    filter_file = tmp_path_factory.mktemp("filter") / "filter"
    filter_file.write_bytes(content)
    found = CommonPasswords(filter_file)
    assert all(word in found for word in words)


def test_a_word_and_its_leaked_digest_are_one() -> None:
    [word] = digests([b"ala-archa\n"], leaked=False, least=1)
    assert word == list(digests(LEAKED.splitlines(), leaked=True, least=1))[1] == digest_of("ala-archa")
