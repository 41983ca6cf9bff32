"""The JSON Schema of orders, as offered to HR (`order.schema.json` beside this file), and what an order breaks of it and
of our own rules."""

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from idp.flows.receive_order import Mistake, mistakes_in

SCHEMA = json.loads((resources.files("idp.flows") / "order.schema.json").read_text("utf8"))
# formats included: the extra `jsonschema[format]` is locked
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)


def broken_rules(body: Any) -> list[Mistake]:
    """Schema first, then our rules.  Only path and rule are told: the validator's own words contain the value."""
    broken = dict.fromkeys(mistake for error in VALIDATOR.iter_errors(body) for mistake in _mistakes(error))
    return list(broken or dict.fromkeys(mistakes_in(body)))


def _mistakes(error: ValidationError) -> Iterator[Mistake]:
    """What is missing is named by the schema's own word for it; all else by where it stands."""
    if error.validator == "required":
        required: Any = error.validator_value
        given: Any = error.instance
        yield from (Mistake(f"{error.json_path}.{name}", "required") for name in required if name not in given)
    else:
        yield Mistake(error.json_path, str(error.validator))
