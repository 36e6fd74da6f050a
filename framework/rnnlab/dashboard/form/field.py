"""One field of a form, made from the JSON schema of an option: what it takes, and what a typed text means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rnnlab.config.schemas import branches, conforms, near, resolved, words, written

Kind = Literal["choice", "switch", "integer", "number", "text", "list", "value"]
"""How a field is edited: one of its `options`; on or off; or typed. A "value" is typed as YAML."""

_INTEGER = re.compile(r"[-+]?[0-9]+")
_WORDS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True)
class Option:
    """One of the values of a choice.

    Attributes:
        value: what choosing it gives.
        label: how it is shown.
        summary: a line about it.
        problem: why it cannot be chosen now; "" if it can.
    """

    value: Any
    label: str
    summary: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Field:
    """A field.

    Attributes:
        key: what overrides call it: "stack.hidden_size", "seed"; "cell" where a plugin is chosen.
        section, name: the two parts; the name of a plugin's choice is "".
        kind: how it is edited.
        title: the name in words.
        help: one line or more about it.
        expected: what it takes, in words: "an integer >= 1".
        default: what it is if nothing is said. required: whether there is no default.
        nullable: whether it may be null, which an empty text means.
        options: the values of a choice, and what may be in a list if that is a choice for each item.
    """

    key: str
    section: str
    name: str
    kind: Kind
    title: str
    help: str = ""
    expected: str = ""
    default: Any = None
    required: bool = False
    nullable: bool = False
    options: tuple[Option, ...] = ()
    schema: Mapping[str, Any] = field(default_factory=dict, repr=False)
    root: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, section: str, name: str, root: Mapping[str, Any]) -> Field:
        """The field of the option `name` of a section with the JSON schema `root`."""
        at: Mapping[str, Any] = root["properties"][name]
        kinds = branches(at, root)
        some = [each for each in kinds if each.get("type") != "null"]
        nullable = len(some) < len(kinds) or not any("type" in e or "enum" in e for e in kinds)
        kind, options = _kind(some, nullable, root)
        return cls(
            key=f"{section}.{name}" if section else name,
            section=section,
            name=name,
            kind=kind,
            title=name.replace("_", " "),
            help=at.get("description", ""),
            expected=words(at, root),
            default=at.get("default"),
            required="default" not in at,
            nullable=nullable,
            options=options,
            schema=at,
            root=root,
        )

    def read(self, text: str) -> Any:
        """The value that a typed text means; the text itself where it means none the field takes."""
        stripped = text.strip()
        if self.nullable and stripped in ("", "null"):
            return None
        match self.kind:
            case "choice":
                return next((each.value for each in self.options if each.label == stripped), stripped)
            case "switch":
                return _WORDS.get(stripped.lower(), stripped)
            case "integer" | "number":
                return _number(stripped, self.kind == "integer")
            case "list":
                return self._read_list(stripped)
            case "value":
                value = _read_yaml(stripped)
                number = _number(stripped, whole=False) if value == stripped else value
                return number if conforms(number, self.schema, self.root) else value
        return text

    def _read_list(self, text: str) -> Any:
        if text.startswith("["):
            return _read_yaml(text)
        items = [branch for each in branches(self.schema, self.root) if (branch := each.get("items"))]
        parts = [part.strip() for part in text.split(",")] if text else []
        types = {each.get("type") for item in items for each in branches(item, self.root)}
        if types & {"integer", "number"}:
            return [_number(part, "number" not in types) for part in parts]
        return parts

    def text(self, value: Any) -> str:
        """A value as it is typed; `read` gives it back."""
        match value:
            case None:
                return "" if self.kind not in ("choice", "switch") else "null"
            case bool():
                return str(value).lower()
            case str() if self.kind != "value":
                return value
            case list() | tuple() if self.kind == "list" and all(_is_plain(each) for each in value):
                return ", ".join(map(str, value))
            case str() | list() | tuple() | dict():
                from rnnlab.config.overrides import value_text

                return value_text(value)
        return str(value)

    def check(self, value: Any) -> str:
        """What is wrong with a value, one line; "" if nothing is, as far as the schema tells."""
        if self.kind == "choice":
            chosen = [each for each in self.options if same(each.value, value)]
            if chosen:
                return chosen[0].problem
        elif conforms(value, self.schema, self.root):
            return ""
        if value is None or value == "":
            return f"expected {self.expected}, got nothing"
        hint = near(value, {"enum": [each.value for each in self.options]})
        return f"expected {self.expected}, got {written(value)}{hint}"


@dataclass(frozen=True)
class Section:
    """A part of a form.

    Attributes:
        name: its key, "" for what stands above the sections.
        choice: the field that chooses its plugin; None for the core's own sections.
        chosen: the plugin chosen, None if there is no choice or nothing is chosen.
        fields: its options.
    """

    name: str
    choice: Field | None
    chosen: str | None
    fields: tuple[Field, ...]


def adopted(field: Field | None, value: Any) -> Any:
    """A value of a file as its field means it: YAML takes 1e-3 for a text."""
    if field is not None and field.kind in ("integer", "number") and isinstance(value, str):
        return field.read(value)
    return value


def same(one: Any, other: Any) -> bool:
    """Whether two values mean the same in a config: 3 and 3.0 do, 1 and true do not."""
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _kind(
    some: list[Mapping[str, Any]], nullable: bool, root: Mapping[str, Any]
) -> tuple[Kind, tuple[Option, ...]]:
    values = [value for each in some for value in _values(each)]
    if values and all(_values(each) for each in some):
        if not nullable and len(values) == 2 and all(isinstance(value, bool) for value in values):
            return "switch", ()
        return "choice", _options([*([None] if nullable else []), *values])
    if len(some) != 1:
        return ("text" if {each.get("type") for each in some} == {"string"} else "value"), ()
    match some[0].get("type"):
        case "integer":
            return "integer", ()
        case "number":
            return "number", ()
        case "string":
            return "text", ()
        case "array":
            item = resolved(some[0].get("items") or {}, root)
            simple = not item or item.get("type") in ("string", "integer", "number") or "enum" in item
            return ("list", _options(item.get("enum", []))) if simple else ("value", ())
    return "value", ()


def _values(at: Mapping[str, Any]) -> list[Any]:
    if "const" in at:
        return [at["const"]]
    return at.get("enum") or ([True, False] if at.get("type") == "boolean" else [])


def _options(values: list[Any]) -> tuple[Option, ...]:
    return tuple(Option(value, value if isinstance(value, str) else written(value)) for value in values)


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value) and value == value.strip() and "," not in value and value[0] not in "[{'\""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(text: str, whole: bool) -> Any:
    if _INTEGER.fullmatch(text):
        return int(text)
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if whole and value.is_integer() else value


def _read_yaml(text: str) -> Any:
    from rnnlab.config.overrides import typed_value

    return typed_value(text)
