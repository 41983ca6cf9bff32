"""docs/regulation.md tells the truth: what it points at exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "regulation.md"
ROW = re.compile(
    r"^\| *(?P<clause>[^|]+?) *\| *(?P<what>[^|]+?) *\| *(?P<where>[^|]*?) *\| *(?P<test>[^|]*?) *\|$", re.MULTILINE
)
POINTER = re.compile(r"`([\w./-]+\.(?:py|toml|json|html|txt|md))(?:::(\w+))?`")
ROWS = [row for row in ROW.finditer(PAGE.read_text("utf8")) if row["clause"] not in {"clause", "---", "|---"}]


def test_the_table_is_there() -> None:
    assert len(ROWS) > 25


@pytest.mark.parametrize("row", ROWS, ids=lambda row: re.sub(r"\W+", "-", f"{row['clause']}-{row['what'][:30]}"))
def test_a_row_points_at_code_and_tests_that_exist(row: re.Match[str]) -> None:
    if row["where"] == "not yet":
        assert row["test"] == ""
        return
    assert POINTER.search(row["where"]), "where does it live?"
    assert POINTER.search(row["test"]), "which test would fail?"
    for path, name in POINTER.findall(row["where"] + row["test"]):
        file = ROOT / path
        assert file.is_file(), path
        assert not name or re.search(rf"\b(def|class) {name}\b|^{name}\b", file.read_text("utf8"), re.MULTILINE), (
            f"{path}::{name}"
        )


def test_every_clause_of_a_policy_is_in_the_table() -> None:
    """A rule that says which clause it carries out can be found from the clause."""
    told = " ".join(row["where"] for row in ROWS)
    carrying_out = {path.name for path in (ROOT / "policies").glob("*.py")} - {
        "__init__.py",
        "toml_section.py",
        "profile_text.py",
        "rules_text.py",
    }
    assert {name for name in carrying_out if f"policies/{name}" not in told} == set()
