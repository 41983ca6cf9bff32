"""docs/specifications.md tells the truth: the tests it names exist, and what the code cites is in it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "specifications.md").read_text("utf8")
HERE = "tests/idp/oauth"  # where a test without a folder is
SECTION = re.compile(r"^## (?P<name>.+)$", re.MULTILINE)
ROW = re.compile(r"^\| *(?P<where>[^|]*?) *\| *(?P<what>[^|]+?) *\| *(?P<test>[^|]+?) *\|$", re.MULTILINE)
ROWS = [row for row in ROW.finditer(PAGE) if row["what"] not in {"what must hold", "---"}]
POINTER = re.compile(r"`([\w./-]+\.py)(?:::(\w+))?`")
LEFT_OUT = re.compile(r"not done\b|never, because \S")
CITED = re.compile(r"RFCs? (\d{4})")
TREATED = (
    "RFC 6749", "RFC 6750", "RFC 7009", "RFC 7515", "RFC 7519", "RFC 7523", "RFC 7591", "RFC 7592", "RFC 7636",
    "RFC 7638", "RFC 7662", "RFC 8252", "RFC 8414", "RFC 8628", "RFC 8693", "RFC 8705", "RFC 8707", "RFC 8725",
    "RFC 9068", "RFC 9101", "RFC 9126", "RFC 9207", "RFC 9396", "RFC 9449", "RFC 9700", "RFC 9701",
    "OpenID Connect Core", "OpenID Connect Discovery", "OpenID Connect Dynamic Client Registration",
    "RP-Initiated Logout", "Back-Channel Logout", "Front-Channel Logout", "Session Management",
    "Multiple Response Type", "Form Post Response Mode", "JARM", "FAPI 2.0 Security Profile",
    "FAPI 2.0 Message Signing",
)  # fmt: skip


def test_every_row_of_a_table_is_read() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("|") and not re.match(r"\|[-| ]+\|$", line)]
    heads = [line for line in lines if "what must hold" in line]
    assert len(ROWS) == len(lines) - len(heads) > 250


@pytest.mark.parametrize("row", ROWS, ids=lambda row: re.sub(r"\W+", "-", f"{row['where']}-{row['what'][:40]}"))
def test_a_row_names_tests_that_exist_or_says_that_it_is_left_out(row: re.Match[str]) -> None:
    pointers = POINTER.findall(row["test"])
    assert pointers or LEFT_OUT.match(row["test"]), "which test would fail?"
    assert row["test"].count("`") == 2 * len(pointers), "a pointer that can't be read"
    for path, name in pointers:
        file = ROOT / path if "/" in path else ROOT / HERE / path
        assert file.is_file(), path
        assert file.name.startswith("test_"), path
        assert not name or re.search(rf"^def {name}\b", file.read_text("utf8"), re.MULTILINE), f"{path}::{name}"


@pytest.mark.parametrize("name", TREATED)
def test_every_specification_of_the_provider_has_a_section(name: str) -> None:
    assert any(name in section["name"] for section in SECTION.finditer(PAGE))


def test_whatever_the_code_cites_is_in_it() -> None:
    code = [path for root in ("idp", "policies", "connectors") for path in (ROOT / root).rglob("*.py")]
    cited = {number for path in code for number in CITED.findall(path.read_text("utf8"))}
    told = set(re.findall(r"\b(\d{4})\b", " ".join(section["name"] for section in SECTION.finditer(PAGE))))
    told |= {number for row in ROWS for number in CITED.findall(row["where"])}
    assert cited - told == set()
