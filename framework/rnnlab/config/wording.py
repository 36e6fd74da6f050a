"""Validation errors in words, made from a section's JSON schema."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema

from rnnlab.config.schemas import Schema, near, resolved, words, written
from rnnlab.config.section import Section
from rnnlab.errors import did_you_mean


def explain(
    error: ValidationError, model: type[Section], section: str, homes: Mapping[str, Sequence[str]]
) -> list[str]:
    """The lines of a validation error, "section.key: expected ..., got ...".

    Args:
        error: what pydantic raised.
        model: the section that was validated.
        section: its key in the experiment; "" for the top level.
        homes: option -> the dotted keys under which any section has it, for keys put in the wrong place.
    """
    schema = json_schema(model)
    found: list[tuple[str, int, str]] = []
    for each in error.errors(include_url=False):
        location, at, within = _locate(schema, each["loc"])
        path = ".".join([part for part in (section, *location) if part])
        match each["type"]:
            case "extra_forbidden":
                line = f"{path}: unknown key{_where(location[-1], within, homes)}"
            case "missing":
                line = f"{path}: missing; expected {words(at, schema)}"
            case "value_error" | "assertion_error":
                line = f"{path}: {each['msg'].partition(', ')[2]}"
            case _:
                expected = words(at, schema) if at else each["msg"]
                got = f"{written(each['input'])}{near(each['input'], at)}"
                line = f"{path}: expected {expected}, got {got}"
        found.append((path, len(each["loc"]), line))
    # Each member of a union has errors of its own, at the whole value or within it: the whole is told.
    whole = {path: min(depth for each, depth, _ in found if each == path) for path, _, _ in found}
    return list(dict.fromkeys(line for path, depth, line in found if depth == whole[path]))


def misplaced(key: str, known: Iterable[str], homes: Mapping[str, Sequence[str]]) -> str:
    """What an unknown top-level key may have meant: an option of some section, or another key."""
    near = difflib.get_close_matches(key, [*known, *homes], n=1)
    if near and near[0] in homes:
        return f"; did you mean {_either(homes[near[0]])}?"
    return did_you_mean(key, known)


def _either(keys: Iterable[str]) -> str:
    return " or ".join(repr(key) for key in keys)


def plain_default(model: type[Section], name: str) -> Any:
    """The default of an option, made if it is made anew each time."""
    return model.model_fields[name].get_default(call_default_factory=True, validated_data={})


def json_schema(model: type[Section]) -> dict[str, Any]:
    """The JSON schema of a section; without properties if one is of a type that JSON schemas lack."""
    try:
        return {"properties": {}, **model.model_json_schema()}
    except PydanticInvalidForJsonSchema:  # a type of a plugin's own, which pydantic's messages must do for
        return {"properties": {}}


def _locate(schema: Schema, loc: Sequence[str | int]) -> tuple[list[str], Schema, Schema]:
    """Follow an error's location: the keys a user wrote, the schema there, and the schema around it."""
    at, around, path = schema, schema, []
    for part in loc:
        inner = _step(at, part)
        if inner is None and "properties" not in at:
            break  # a member of a union, which is no key of the user's
        path.append(str(part))
        at, around = resolved(inner or {}, schema), at
    return path, at, around


def _step(at: Schema, part: str | int) -> Schema | None:
    if isinstance(part, int):
        return at.get("items")
    extra = at.get("additionalProperties")
    return at.get("properties", {}).get(part) or (extra if isinstance(extra, dict) else None)


def _where(key: str, around: Schema, homes: Mapping[str, Sequence[str]]) -> str:
    if key in homes:
        return f"; did you mean {_either(homes[key])}?"
    known = around.get("properties", {})
    return did_you_mean(key, known) if known else "; there are no options here"
