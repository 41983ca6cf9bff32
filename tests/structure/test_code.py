"""House rules that can be read off the code: imports, sizes, names, clocks."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("idp", "policies", "connectors")
FILES = sorted(path for root in OURS for path in (ROOT / root).rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 300, 40
NO_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "base_utils",
    "manager",
    "managers",
    "core",
    "lib",
    "stuff",
}
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "localtime"),
}
# The clock itself; and a stand-in, which plays a foreign server with a clock of its own.
MAY_LOOK_AT_THE_CLOCK = {"idp/clock.py", "connectors/standins/moodle.py"}
CLAUSE = re.compile(r"Regulation (S[12]-)?\d+(\.\d+)*|annex")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in FILES:
        yield name_of(path), ast.parse(path.read_text("utf8"))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_there_is_code_to_look_at() -> None:
    assert len(FILES) > 100


def test_no_file_is_longer_than_can_be_read_at_once() -> None:
    assert {
        name_of(path): lines for path in FILES if (lines := len(path.read_text("utf8").splitlines())) > LONGEST_FILE
    } == {}


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {
        f"{name}: {function.name}": (function.end_lineno or 0) - function.lineno + 1
        for name, tree in trees()
        for function in functions(tree)
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


def test_nothing_is_imported_inside_a_function() -> None:
    assert [
        f"{name}:{node.lineno}"
        for name, tree in trees()
        for function in functions(tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ] == []


def test_every_module_opens_by_saying_what_it_owns() -> None:
    assert [name for name, tree in trees() if ast.get_docstring(tree) is None] == []


def test_no_file_is_named_after_nothing() -> None:
    assert [name_of(path) for path in FILES if path.stem in NO_NAMES] == []


def test_only_the_clock_tells_the_time() -> None:
    found = {
        name
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in CLOCKS
    }
    assert found == MAY_LOOK_AT_THE_CLOCK


def test_no_security_check_is_an_assertion() -> None:
    """An assert is for readers and type checkers; each must say why it can't be false (`# noqa: S101  # ...`)."""
    asserts = re.compile(r"^\s*assert .*")
    silent = [
        f"{name_of(path)}: {line.strip()}"
        for path in FILES
        for line in path.read_text("utf8").splitlines()
        if asserts.match(line) and "# noqa: S101  # " not in line and "standins" not in path.parts
    ]
    assert silent == []


def test_flows_never_commit() -> None:
    committing = re.compile(r"\.commit\(\)")
    assert [
        name_of(path) for path in FILES if "flows" in path.parts and committing.search(path.read_text("utf8"))
    ] == []


def test_one_flow_alone_writes_the_trail() -> None:
    making = re.compile(r"\bAuditRecord(\.__table__|\(\s*$|\(\w+=)|(insert|update|delete)\(AuditRecord", re.MULTILINE)
    writers = [name_of(path) for path in FILES if making.search(path.read_text("utf8"))]
    assert writers == ["idp/flows/record.py"]


def test_sql_is_never_put_together_from_strings() -> None:
    made = re.compile(r"""(text|exec_driver_sql)\(\s*f["']""")
    assert [name_of(path) for path in FILES if made.search(path.read_text("utf8"))] == []


@pytest.mark.parametrize("path", sorted((ROOT / "policies").glob("*.py")), ids=lambda path: path.stem)
def test_every_policy_opens_with_its_clause_and_fetches_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text("utf8"))
    if path.stem != "__init__":
        assert CLAUSE.search(ast.get_docstring(tree) or ""), "which clause does it carry out?"
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {name.partition(".")[0] for name in imported} - {"policies"}
    assert roots <= sys.stdlib_module_names
    assert not roots & {"os", "socket", "http", "random", "secrets", "sqlite3", "subprocess", "time"}
    assert not {name for name in imported if name.startswith("urllib") and name != "urllib.parse"}


def test_everybody_knows_only_whom_they_may() -> None:
    """`.importlinter` says who; the reason of a failure is in its output."""
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [linter, "--no-cache", "--config", ROOT / ".importlinter"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
