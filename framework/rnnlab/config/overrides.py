"""`key=value` overrides of a raw experiment, from the command line.

A value means what it would mean in the file: whole numbers, true, false, null, quoted text, [lists] and
{mappings} are read as such; everything else stays text, which the option's type then reads. So `1e-3` is a
number where a number is expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

import yaml

PLUGIN_SECTIONS = ("task", "dataset", "cell", "decoder", "backend", "executor")
"""The sections that choose a plugin by their `type`."""

_WORDS = {"true": True, "false": False, "null": None}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")


def normalised(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `raw` in which `cell: lstm` reads `cell: {type: lstm}` and empty sections are left out."""
    copy = {str(key): deepcopy(value) for key, value in raw.items() if value is not None}
    for section in PLUGIN_SECTIONS:
        if isinstance(copy.get(section), str):
            copy[section] = {"type": copy[section]}
    return copy


def apply(raw: Mapping[str, Any], overrides: Iterable[str]) -> tuple[dict[str, Any], list[str]]:
    """Apply overrides, the switches of plugins first, so that their order does not matter.

    Switching a plugin (`cell=rnn`, `cell.type=rnn`) drops the options of the one before; naming the plugin
    that is chosen already keeps them. Of two overrides of one key the later wins.

    Args:
        raw: the experiment as a file or preset gives it.
        overrides: "dotted.key=value" strings.

    Returns:
        The changed copy, and a line for each override that could not be applied.
    """
    result, problems = normalised(raw), []
    parsed: list[tuple[list[str], Any]] = []
    for override in overrides:
        try:
            parsed.append(_parse(override))
        except ValueError as error:
            problems.append(str(error))
    switches = [each for each in parsed if _is_switch(*each)]
    for path, value in switches:
        _switch(result, path[0], value)
    for path, value in parsed:
        if (path, value) not in switches and (problem := _set(result, path, value)):
            problems.append(problem)
    return result, problems


def _parse(override: str) -> tuple[list[str], Any]:
    key, equals, text = override.partition("=")
    if not equals:
        raise ValueError(f"{override}: expected key=value, got no '='")
    path = key.strip().split(".")
    if not all(path):
        raise ValueError(f"{override}: expected a dotted key before '=', got {key!r}")
    try:
        return path, read_value(text.strip())
    except yaml.YAMLError as error:
        raise ValueError(f"{override}: the value is not valid YAML ({_first_line(error)})") from error


def typed_value(text: str) -> Any:
    """What a text means after the "=" of an override; the text itself if it is not valid."""
    try:
        return read_value(text)
    except yaml.YAMLError:
        return text


def read_value(text: str) -> Any:
    """What a text means after the "=" of an override.

    Raises:
        yaml.YAMLError: it begins as quoted text, a list or a mapping and is none.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if text[:1] in ("[", "{", "'", '"'):
        return yaml.safe_load(text)
    return text


def _first_line(error: yaml.YAMLError) -> str:
    return getattr(error, "problem", None) or str(error).splitlines()[0]


def assignment(key: str, value: Any) -> str:
    """The override that gives `value`: what `apply` reads back as it is, or, for a float, as its text."""
    return f"{key}={value_text(value)}"


def value_text(value: Any) -> str:
    """A value as it stands after the "=" of an override."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return _quoted(value) if _reads_as_other(value) else value
        case list() | tuple() | dict():
            plain = list(value) if isinstance(value, tuple) else value
            return _flow(plain)
    return str(value)


def _reads_as_other(text: str) -> bool:
    return (
        text != text.strip()
        or text in _WORDS
        or _INTEGER.fullmatch(text) is not None
        or text[:1] in ("[", "{", "'", '"')
    )


def _quoted(text: str) -> str:
    return _flow(text, style='"')


def _flow(value: Any, style: str | None = None) -> str:
    dumped = yaml.safe_dump(
        value, default_flow_style=True, default_style=style, allow_unicode=True, width=10**9, sort_keys=False
    )
    return dumped.strip()


def _is_switch(path: list[str], value: Any) -> bool:
    return path[0] in PLUGIN_SECTIONS and (
        len(path) == 1 or (path[1:] == ["type"] and isinstance(value, str))
    )


def _switch(raw: dict[str, Any], section: str, value: Any) -> None:
    if value is None:
        raw.pop(section, None)
        return
    before = raw.get(section)
    if isinstance(value, str) and isinstance(before, dict) and before.get("type") == value:
        return
    raw[section] = {"type": value} if isinstance(value, str) else value


def _set(raw: dict[str, Any], path: list[str], value: Any) -> str | None:
    node = raw
    for depth, part in enumerate(path[:-1], start=1):
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            return f"{'.'.join(path)}: {'.'.join(path[:depth])!r} has no keys; it is {node!r}"
    node[path[-1]] = value
    return None
