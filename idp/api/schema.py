"""The JSON Schema of orders, as offered to HR (`order.schema.json` beside this file)."""

import json
from importlib import resources

from jsonschema import Draft202012Validator


def order_validator() -> Draft202012Validator:
    """Validates one order version, formats included (the extra `jsonschema[format]` is locked)."""
    schema = json.loads((resources.files("idp.api") / "order.schema.json").read_text("utf8"))
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
