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
    return path, _value(override, text.strip())


def _value(override: str, text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if text[:1] in ("[", "{", "'", '"'):
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError(f"{override}: the value is not valid YAML ({_first_line(error)})") from error
    return text


def _first_line(error: yaml.YAMLError) -> str:
    return getattr(error, "problem", None) or str(error).splitlines()[0]


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
