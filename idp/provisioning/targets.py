"""The connectors of this installation: one per system whose connection stands in the settings."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from connectors.base import Connector, PasswordKeeper, TargetError
from connectors.kinds import KINDS
from idp.errors import Busy, ConfigurationError
from idp.log import log
from idp.service import Service


def connect_targets(service: Service) -> dict[str, Connector]:
    """System code -> connector.  Raises `ConfigurationError` naming every setting that does not fit."""
    kinds = {system.code: system.kind for system in service.profile.systems}
    found: dict[str, Connector] = {}
    mistakes: list[str] = []
    for code, values in service.settings.targets.items():
        entry = KINDS.get(kinds.get(code, ""))
        if entry is None or entry.factory is None:
            mistakes.append(f"targets.{code}: no system of the profile with a connector")
            continue
        try:
            found[code] = entry.factory(TypeAdapter(entry.settings).validate_python(values))
        except ValidationError as error:
            mistakes += [f"targets.{code}.{_place(item)}: {item['msg']}" for item in error.errors(include_input=False)]
        except ValueError as error:  # what only the connector can tell: no https, a map that does not fit
            mistakes += [f"targets.{code}: {line}" for line in str(error).splitlines()]
    if mistakes:
        raise ConfigurationError(mistakes)
    return found


def password_checks(service: Service) -> list[Callable[[str, str], bool]]:
    """One per system that keeps passwords of its own (setting `own_passwords` of a target)."""
    targets = connect_targets(service).values()
    keepers = [cast(PasswordKeeper, target) for target in targets if target.capabilities.verify_password]
    return [partial(_accepts, keeper) for keeper in keepers]


def _accepts(keeper: PasswordKeeper, login: str, password: str) -> bool:
    """Raises `Busy` when the system does not tell."""
    try:
        return keeper.verify_password(login, password)
    except TargetError as error:
        log.warning("password-not-checked", reason=error.detail)
        raise Busy from error


def _place(item: Any) -> str:
    return ".".join(map(str, item["loc"]))
