"""Every check, by what it is asked of."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from rnnlab.plugins.registry import Registry
from rnnlab.testing import registration
from rnnlab.testing.check import Check, Checked
from rnnlab.testing.subject import Subject

_HERE = "rnnlab.testing"
_HOMES: Mapping[Checked, tuple[str, tuple[str, ...]]] = {
    "cell": (
        f"{_HERE}.cells:CellSubject",
        (f"{_HERE}.cell_step", f"{_HERE}.cell_checks", f"{_HERE}.cell_promises"),
    ),
    "task": (f"{_HERE}.tasks:TaskSubject", (f"{_HERE}.task_checks",)),
    "dataset": (f"{_HERE}.datasets:DatasetSubject", (f"{_HERE}.datasets",)),
    "backend": (f"{_HERE}.subject:Subject", (f"{_HERE}.backends",)),
    "executor": (f"{_HERE}.executors:ExecutorSubject", (f"{_HERE}.executors",)),
    "preset": (f"{_HERE}.subject:Subject", (f"{_HERE}.presets",)),
    "hooks": (f"{_HERE}.hooks:HooksSubject", (f"{_HERE}.hooks",)),
}
"""Kind -> the class of its subjects, and the modules of its checks; imported when the kind is asked for."""

CHECKED: tuple[Checked, ...] = tuple(_HOMES)
"""Everything that has checks."""


def checks(kind: Checked) -> tuple[Check, ...]:
    """The checks of a kind, those of everything registered first."""
    own = (importlib.import_module(module).CHECKS for module in _HOMES[kind][1])
    return (*registration.CHECKS, *(each for found in own for each in found))


def subject(
    registry: Registry, kind: Checked, name: str, options: Mapping[str, Any] | None = None
) -> Subject:
    """An object to check.

    Args:
        registry: the plugins; others of it are used too, such as cells for a task.
        kind: what it is; "hooks" for a plugin's lifecycle hooks.
        name: its name, or the plugin's key.
        options: those that differ from their defaults; for a preset, dotted key -> value.

    Raises:
        InputError: there is none of that name, or it lacks a module.
        ConfigError: its options are wrong.
    """
    module, _, name_of_class = _HOMES[kind][0].partition(":")
    return getattr(importlib.import_module(module), name_of_class)(registry, kind, name, options)
