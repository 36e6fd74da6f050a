"""Presets: packaged experiments, found by name."""

from __future__ import annotations

import importlib
import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnnlab.config import documents
from rnnlab.errors import InputError
from rnnlab.plugins.registry import Registry
from rnnlab.plugins.spec import Spec

ABOUT = "about"
"""The section of a preset that describes it and is no part of the experiment."""


@dataclass(frozen=True)
class Preset:
    """A preset as listings show it.

    Attributes:
        name: what `rnnlab run` takes.
        summary: one line.
        about: its `about` section: mode, data, expected, needs, as far as given.
        problem: why it cannot be read; "" if it can.
    """

    name: str
    summary: str
    about: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


def all_presets(registry: Registry) -> list[Preset]:
    """Every preset. One that cannot be read is listed with its problem."""
    return [describe(spec) for spec in registry.specs("preset")]


def describe(spec: Spec) -> Preset:
    """A preset as its file describes it."""
    try:
        about = documents.parse(preset_text(spec), f"preset {spec.name!r}").get(ABOUT) or {}
    except InputError as error:
        return Preset(spec.name, spec.summary, problem=str(error))
    about = about if isinstance(about, dict) else {"summary": str(about)}
    return Preset(spec.name, spec.summary or str(about.get("summary", "")), about)


def read_preset(name: str, registry: Registry) -> dict[str, Any]:
    """The raw experiment of a preset, its `about` section included.

    Raises:
        InputError: there is no such preset, or its file cannot be read.
    """
    spec = registry.get("preset", name)
    return documents.parse(preset_text(spec), f"preset {name!r}")


def preset_text(spec: Spec) -> str:
    """The YAML text of a preset.

    Raises:
        InputError: its package or its file is not there.
    """
    package, _, file = spec.target.partition(":")
    try:
        module = importlib.import_module(package)
        if hasattr(module, "__path__"):
            return importlib.resources.files(module).joinpath(file).read_text(encoding="utf-8")
        return Path(module.__file__ or "").with_name(file).read_text(encoding="utf-8")
    except (ImportError, OSError, UnicodeDecodeError) as error:
        raise InputError(f"preset {spec.name!r}: cannot read {spec.target} ({error})") from error
