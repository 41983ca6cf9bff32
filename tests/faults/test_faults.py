"""The scenarios play, and tell of what goes wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults import __main__ as faults
from tests.faults.figure import Figure
from tests.faults.ground import Grounds
from tests.faults.target import Dice, is_as, target_in


@pytest.mark.parametrize("name", ["shuffled", "drifts"])
def test_at_a_small_scale_all_holds(
    name: str, postgres: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert faults.play(name, Grounds(postgres, tmp_path, name), 0.0), capsys.readouterr().out


def test_what_does_not_hold_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_grounds: Any, _scale: float) -> Iterator[Figure]:
        """One that fails."""
        yield Figure("lost: 1", False)
        yield Figure("doubled: 0")

    monkeypatch.setitem(faults.SCENARIOS, "broken", broken)
    assert not faults.play("broken", None, 1.0)  # type: ignore[arg-type]
    assert "DOES NOT HOLD: lost: 1\n  doubled: 0" in capsys.readouterr().out


def test_a_double_at_a_target_is_counted(tmp_path: Path) -> None:
    with target_in(tmp_path, "lms") as target:
        for number in (4, 5, 6):
            target.site.users[number] = target.site.users[1] | {"id": number, "idnumber": "a" if number < 6 else "b"}
        assert target.doubled == 1


def test_a_user_with_another_name_or_state_is_not_as_wanted() -> None:
    user = {"deleted": False, "suspended": False, "firstname": "Aida"}
    assert is_as(user, True, {"given_name": "Aida"})
    assert not is_as(user, True, {"given_name": "Anara"})
    assert not is_as(user, False, {})
    assert not is_as(None, True, {})
    assert is_as(user | {"suspended": True}, False, {})


def test_dice_throw_each_fault_about_as_often_as_their_odds() -> None:
    dice = Dice({"hang": 0.1, 500: 0.2}, seed=1)
    for _ in range(2000):
        dice.pop(0)
    assert dice
    assert 150 < dice.thrown["hang"] < 250
    assert 320 < dice.thrown[500] < 480
