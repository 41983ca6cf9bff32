"""The connectors of this installation: one per system whose connection stands in the settings."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from connectors.base import Connector
from connectors.kinds import KINDS
from idp.errors import ConfigurationError
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
    if mistakes:
        raise ConfigurationError(mistakes)
    return found


def _place(item: Any) -> str:
    return ".".join(map(str, item["loc"]))
