"""What pydantic says of options that are written wrongly, in a line for their author."""

from __future__ import annotations

import ast
import re

from rnnlab.plugins.loading import authors_line

_UNTYPED = ("model-field-missing-annotation", "model-field-overridden")
_ASSIGNED = re.compile(r"`(\w+) = (.+?)`")
_FIELD = re.compile(r"^Field '(\w+)'")


def untyped_option(error: BaseException | None) -> str:
    """What an option without annotation lacks, and where; "" if `error` is another one."""
    from pydantic.errors import PydanticUserError

    if not isinstance(error, PydanticUserError) or error.code not in _UNTYPED:
        return ""
    name, value = "?", "..."
    if found := _ASSIGNED.search(error.message):
        name, value = found.groups()
    elif found := _FIELD.search(error.message):
        name = found[1]
    place = authors_line(error)
    where = f" ({place})" if place else ""
    return f"option {name} has no type: write {name}: {_type_name(value)} = {value}{where}"


def _type_name(value: str) -> str:
    try:
        literal = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return "TYPE"
    return "TYPE" if literal in (None, ...) else type(literal).__name__
