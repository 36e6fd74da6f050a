"""Options and their errors in words, made from a section's JSON schema."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema

from rnnlab.config.section import Section
from rnnlab.errors import did_you_mean

_NOUNS = {
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "string": "text",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
_BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
_LENGTHS = {"minLength": "at least", "minItems": "at least", "maxLength": "at most", "maxItems": "at most"}

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Option:
    """One option of a section, for listings.

    Attributes:
        name: the key.
        type: what it takes, in words.
        default: its default as YAML would write it; "required" if it has none.
        help: the text under the field.
    """

    name: str
    type: str
    default: str
    help: str


def options(model: type[Section]) -> list[Option]:
    """The options of a section, in the order it declares them."""
    schema = _schema(model)
    return [
        Option(
            name,
            _words(schema["properties"].get(name, {}), schema) if schema else "",
            "required" if field.is_required() else written(_plain_default(model, name)),
            " ".join((field.description or "").split()),
        )
        for name, field in model.model_fields.items()
    ]


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
    schema = _schema(model)
    lines: list[str] = []
    for each in error.errors(include_url=False):
        location, at, within = _locate(schema, each["loc"])
        path = ".".join([part for part in (section, *location) if part])
        match each["type"]:
            case "extra_forbidden":
                line = f"{path}: unknown key{_where(location[-1], within, homes)}"
            case "missing":
                line = f"{path}: missing; expected {_words(at, schema)}"
            case "value_error" | "assertion_error":
                line = f"{path}: {each['msg'].partition(', ')[2]}"
            case _:
                words = _words(at, schema) if at else each["msg"]
                line = f"{path}: expected {words}, got {written(each['input'])}{_near(each['input'], at)}"
        if line not in lines:
            lines.append(line)
    return lines


def misplaced(key: str, known: Iterable[str], homes: Mapping[str, Sequence[str]]) -> str:
    """What an unknown top-level key may have meant: an option of some section, or another key."""
    near = difflib.get_close_matches(key, [*known, *homes], n=1)
    if near and near[0] in homes:
        return f"; did you mean {_either(homes[near[0]])}?"
    return did_you_mean(key, known)


def _either(keys: Iterable[str]) -> str:
    return " or ".join(repr(key) for key in keys)


def written(value: Any) -> str:
    """A value as a config file writes it, in at most 60 characters."""
    match value:
        case None:
            text = "null"
        case bool():
            text = str(value).lower()
        case list() | tuple():
            text = f"[{', '.join(written(each) for each in value)}]"
        case dict():
            text = f"{{{', '.join(f'{key}: {written(each)}' for key, each in value.items())}}}"
        case _:
            text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _plain_default(model: type[Section], name: str) -> Any:
    return model.model_fields[name].get_default(call_default_factory=True, validated_data={})


def _schema(model: type[Section]) -> Schema:
    try:
        return {"properties": {}, **model.model_json_schema()}
    except PydanticInvalidForJsonSchema:  # a type of a plugin's own, which pydantic's messages must do for
        return {"properties": {}}


def _resolved(at: Schema, root: Schema) -> Schema:
    reference = at.get("$ref")
    return root["$defs"][reference.rpartition("/")[2]] if reference else at


def _locate(schema: Schema, loc: Sequence[str | int]) -> tuple[list[str], Schema, Schema]:
    """Follow an error's location: the keys a user wrote, the schema there, and the schema around it."""
    at, around, path = schema, schema, []
    for part in loc:
        inner = _step(at, part)
        if inner is None and "properties" not in at:
            break  # a member of a union, which is no key of the user's
        path.append(str(part))
        at, around = _resolved(inner or {}, schema), at
    return path, at, around


def _step(at: Schema, part: str | int) -> Schema | None:
    if isinstance(part, int):
        return at.get("items")
    extra = at.get("additionalProperties")
    return at.get("properties", {}).get(part) or (extra if isinstance(extra, dict) else None)


def _words(at: Schema, root: Schema) -> str:
    at = _resolved(at, root)
    if "anyOf" in at:
        return " or ".join(dict.fromkeys(_words(each, root) for each in at["anyOf"]))
    if "const" in at:
        return written(at["const"])
    if "enum" in at:
        return f"one of {', '.join(str(each) for each in at['enum'])}"
    kind = at.get("type")
    words = _NOUNS.get(kind, "a value") if isinstance(kind, str) else "a value"
    bounds = [f"{sign} {_bound(at[key])}" for key, sign in _BOUNDS.items() if key in at]
    unit = "character" if kind == "string" else "item"
    for key, sign in _LENGTHS.items():
        if key in at:
            bounds.append(f"of {sign} {at[key]} {unit}{'s' if at[key] != 1 else ''}")
    if "pattern" in at:
        bounds.append(f"matching {at['pattern']}")
    if items := at.get("items"):
        bounds.append(f"(each {_words(items, root)})")
    return " ".join([words, " and ".join(bounds)]).strip()


def _bound(bound: float) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)


def _near(value: Any, at: Schema) -> str:
    known = [each for each in at.get("enum", ()) if isinstance(each, str)]
    near = difflib.get_close_matches(value, known, n=1) if isinstance(value, str) else []
    return f"; did you mean {near[0]!r}?" if near else ""


def _where(key: str, around: Schema, homes: Mapping[str, Sequence[str]]) -> str:
    if key in homes:
        return f"; did you mean {_either(homes[key])}?"
    known = around.get("properties", {})
    return did_you_mean(key, known) if known else "; there are no options here"
