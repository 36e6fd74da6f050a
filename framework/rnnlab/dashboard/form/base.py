"""What a form starts from: a preset, a file, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnnlab.config.overrides import PLUGIN_SECTIONS, normalised
from rnnlab.dashboard.catalogue.catalogue import Catalogue
from rnnlab.errors import InputError

AUTO = "auto"
"""The backend that is chosen by the machine."""

CORE = ("stack", "training", "tracking")
ORDER = ("", "task", "dataset", "cell", "decoder", "backend", "stack", "training", "tracking", "executor")
"""The sections as a form shows them; "" is what stands above the sections."""


@dataclass(frozen=True)
class Base:
    """The experiment before anything was changed.

    Attributes:
        source: the preset's name or the file's path, as a command line names it; None for nothing.
        types: section -> the plugin it chooses, None if the experiment leaves that open.
        options: section -> the options it says.
        extra: keys that no experiment has, kept so that they are reported.
    """

    source: str | None
    types: Mapping[str, str | None]
    options: Mapping[str, Mapping[str, Any]]
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, source: str | None, raw: Mapping[str, Any], catalogue: Catalogue) -> Base:
        """The parts of a raw experiment, shorthands written out.

        Raises:
            InputError: a section is no mapping.
        """
        raw = normalised(raw)
        for section in (*PLUGIN_SECTIONS, *CORE):
            if not isinstance(raw.get(section, {}), dict):
                raise InputError(f"{source}: {section}: expected a mapping of options, got {raw[section]!r}")
        if "decoder" in raw and "type" not in raw["decoder"]:
            raw["decoder"] = raw.get("cell", {}) | raw["decoder"]  # it changes options of the encoder's
        types: dict[str, str | None] = dict.fromkeys(PLUGIN_SECTIONS)
        options: dict[str, dict[str, Any]] = {section: {} for section in ORDER}
        head = catalogue.sections.get("", {}).get("properties", {})
        extra = {}
        for key, value in raw.items():
            if key in PLUGIN_SECTIONS:
                types[key] = value.pop("type", None)
            if key in ORDER:
                options[key] = {str(name): each for name, each in value.items()}
            elif key in head:
                options[""][key] = value
            else:
                extra[key] = value
        types["backend"] = types["backend"] or AUTO
        executors = [entry.name for entry in catalogue.of("executor") if entry.health != "unavailable"]
        types["executor"] = types["executor"] or next(iter(executors), None)
        return cls(source, types, options, extra)

    @classmethod
    def preset(cls, name: str, catalogue: Catalogue) -> Base:
        """A preset's.

        Raises:
            InputError: there is none of that name, or it cannot be read.
        """
        entry = catalogue.get("preset", name)
        if entry is None:
            raise InputError(f"no preset {name!r} is installed")
        if entry.health != "ok":
            raise InputError(f"preset {name!r}: {entry.reason}; {entry.remedy}")
        return cls.of(name, {"name": name} | dict(entry.experiment), catalogue)

    @classmethod
    def file(cls, path: Path, catalogue: Catalogue) -> Base:
        """A YAML file's, for example a run's config.yaml.

        Raises:
            InputError: it cannot be read.
        """
        from rnnlab.config import documents

        raw = documents.read_file(path)
        raw.pop("about", None)
        return cls.of(str(path.absolute()), {"name": path.stem} | raw, catalogue)

    @classmethod
    def nothing(cls, catalogue: Catalogue) -> Base:
        """The first task that is ready, and what fits it."""
        raw: dict[str, Any] = {"name": "experiment"}
        if task := next(catalogue.ready("task"), None):
            raw["task"] = task.name
            fitting = (each for each in catalogue.ready("dataset") if set(each.modes) & set(task.modes))
            raw["dataset"] = next((each.name for each in fitting), None)
        raw["cell"] = next((each.name for each in catalogue.ready("cell")), None)
        return cls.of(None, raw, catalogue)
