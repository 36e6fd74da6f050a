"""JSON schemas of sections, as plain data: what a value may be, in words, and whether one may be that.

Importing this imports neither pydantic nor YAML, so that a form can be checked while somebody types.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
_LENGTHS = {
    "minLength": "at least",
    "minItems": "at least",
    "minProperties": "at least",
    "maxLength": "at most",
    "maxItems": "at most",
    "maxProperties": "at most",
}
_TYPES: Mapping[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "string": (str,),
    "array": (list, tuple),
    "object": (dict,),
    "null": (type(None),),
}

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


def options(schema: Schema) -> list[Option]:
    """The options of a section, in the order it declares them."""
    return [
        Option(
            name,
            words(option, schema),
            written(option["default"]) if "default" in option else "required",
            option.get("description", ""),
        )
        for name, option in schema.get("properties", {}).items()
    ]


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


def resolved(at: Schema, root: Schema) -> Schema:
    """The schema that `at` refers to, `at` itself if it refers to none."""
    reference = at.get("$ref")
    return root["$defs"][reference.rpartition("/")[2]] if reference else at


def branches(at: Schema, root: Schema) -> list[Schema]:
    """The members of a union, resolved; `at` alone if it is none."""
    at = resolved(at, root)
    return [branch for each in at["anyOf"] for branch in branches(each, root)] if "anyOf" in at else [at]


def words(at: Schema, root: Schema) -> str:
    """What a value may be: "an integer >= 1 or null"."""
    at = resolved(at, root)
    if "anyOf" in at:
        return " or ".join(dict.fromkeys(words(each, root) for each in at["anyOf"]))
    if "const" in at:
        return written(at["const"])
    if "enum" in at:
        return f"one of {', '.join(str(each) for each in at['enum'])}"
    kind = at.get("type")
    noun = _NOUNS.get(kind, "a value") if isinstance(kind, str) else "a value"
    bounds = [f"{sign} {_bound(at[key])}" for key, sign in _BOUNDS.items() if key in at]
    unit = "character" if kind == "string" else "item"
    for key, sign in _LENGTHS.items():
        if key in at:
            bounds.append(f"of {sign} {at[key]} {unit}{'s' if at[key] != 1 else ''}")
    if "pattern" in at:
        bounds.append(f"matching {at['pattern']}")
    items = at.get("items") or at.get("additionalProperties")
    if isinstance(items, dict) and items:
        noun = f"{noun} (each {words(items, root)})"
    return " ".join([noun, " and ".join(bounds)]).strip()


def _bound(bound: float) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)


def near(value: Any, at: Schema) -> str:
    """Return "; did you mean 'x'?" for the nearest of the choices, "" if there is none."""
    known = [each for each in at.get("enum", ()) if isinstance(each, str)]
    found = difflib.get_close_matches(value, known, n=1) if isinstance(value, str) else []
    return f"; did you mean {found[0]!r}?" if found else ""


def conforms(value: Any, at: Schema, root: Schema) -> bool:
    """Whether a value is what the schema takes. What the schema does not say is let through."""
    return any(_conforms(value, branch, root) for branch in branches(at, root))


def _conforms(value: Any, at: Schema, root: Schema) -> bool:
    if "const" in at or "enum" in at:
        choices = at.get("enum", [at.get("const")])
        return any(type(value) is type(each) and value == each for each in choices)
    kind = at.get("type")
    if isinstance(kind, str) and kind in _TYPES:
        if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
            return False
        if isinstance(value, float) and not abs(value) < float("inf"):  # NaN and infinities: see Section
            return False
    return _within(value, at) and _items_conform(value, at, root)


def _within(value: Any, at: Schema) -> bool:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return not (
            value < at.get("minimum", value)
            or value > at.get("maximum", value)
            or ("exclusiveMinimum" in at and value <= at["exclusiveMinimum"])
            or ("exclusiveMaximum" in at and value >= at["exclusiveMaximum"])
        )
    if isinstance(value, str):
        length = at.get("minLength", 0) <= len(value) <= at.get("maxLength", len(value))
        return length and ("pattern" not in at or re.search(at["pattern"], value) is not None)
    return True


def _items_conform(value: Any, at: Schema, root: Schema) -> bool:
    if isinstance(value, dict):
        each = at.get("additionalProperties")
        sized = at.get("minProperties", 0) <= len(value) <= at.get("maxProperties", len(value))
        return sized and (
            not isinstance(each, dict) or all(conforms(item, each, root) for item in value.values())
        )
    if not isinstance(value, (list, tuple)):
        return True
    if not at.get("minItems", 0) <= len(value) <= at.get("maxItems", len(value)):
        return False
    first: list[Schema] = at.get("prefixItems", [])
    rest = at.get("items")
    kinds = [*first, *([rest] * (len(value) - len(first)) if isinstance(rest, dict) else [])]
    return all(conforms(each, kind, root) for each, kind in zip(value, kinds, strict=False))
