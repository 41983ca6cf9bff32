"""What stands under `targets` of the settings is checked at the start, by the connectors themselves where only they can."""

from pathlib import Path
from typing import Any

import pytest

from idp.errors import ConfigurationError
from idp.provisioning.targets import connect_targets
from idp.service import Service, build_service
from tests.builders import settings_for

PROFILE = Path(__file__).parents[3] / "policies" / "profiles" / "kstu.toml"
KOHA = {"url": "https://library.example.edu/api/v1", "map": "koha", "user": "u", "secret": "s"}


def service(folder: Path, targets: dict[str, dict[str, Any]]) -> Service:
    """The university's systems, its library kept by a connector of kind `rest`."""
    text = PROFILE.read_text("utf8")
    start = text.index('code = "library"')
    assert 'kind = "manual"' in text[start:]
    profile = folder / "own.toml"
    profile.write_text(text[:start] + text[start:].replace('kind = "manual"', 'kind = "rest"', 1), "utf8")
    return build_service(settings_for("sqlite://", profile=str(profile), targets=targets))


def mistakes(folder: Path, targets: dict[str, dict[str, Any]]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        connect_targets(service(folder, targets))
    return str(caught.value).splitlines()


def test_a_library_becomes_a_target_by_its_map(tmp_path: Path) -> None:
    assert connect_targets(service(tmp_path, {"library": KOHA}))["library"].kind == "rest"


def test_every_mistake_in_a_map_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text('[sign_in]\nby = "magic"\n[record]\nid = ""\n')
    told = "\n".join(mistakes(tmp_path, {"library": KOHA | {"map": str(tmp_path / "map.toml")}}))
    assert "targets.library: map.toml: sign_in.by: must be one of basic, bearer, client-credentials" in told
    assert "targets.library: map.toml: record.id: must not be empty" in told


def test_an_address_without_https_is_told_and_no_traceback(tmp_path: Path) -> None:
    found = "\n".join(mistakes(tmp_path, {"library": KOHA | {"url": "http://library.example.edu"}}))
    assert "targets.library: a target outside loopback needs https" in found


def test_a_setting_that_is_missing_is_told_by_name(tmp_path: Path) -> None:
    found = "\n".join(mistakes(tmp_path, {"library": {"url": "https://library.example.edu"}}))
    assert "targets.library.map: " in found and "targets.library.secret: " in found
