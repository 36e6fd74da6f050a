"""An experiment while it is being validated: what is valid so far, and every problem found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from rnnlab.config import wording
from rnnlab.config.experiment import AUTO, Choice
from rnnlab.config.overrides import PLUGIN_SECTIONS, normalised
from rnnlab.config.schemas import written
from rnnlab.config.section import Section, StackConfig
from rnnlab.config.training import TrackingConfig, TrainingConfig
from rnnlab.errors import InputError
from rnnlab.plugins.registry import Registry
from rnnlab.plugins.spec import Kind, Spec, TaskSpec


class Head(Section):
    """What stands above the sections."""

    name: str = Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)
    """Begins the run's id."""
    description: str = ""
    """Free text."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Of every random number."""


CORE_SECTIONS: Mapping[str, type[Section]] = {
    "stack": StackConfig,
    "training": TrainingConfig,
    "tracking": TrackingConfig,
}
KIND_OF_SECTION: Mapping[str, Kind] = {
    "task": "task",
    "dataset": "dataset",
    "cell": "cell",
    "decoder": "cell",
    "backend": "backend",
    "executor": "executor",
}
KEYS = (*Head.model_fields, *PLUGIN_SECTIONS, *CORE_SECTIONS)
"""Every top-level key of an experiment."""


class Draft:
    """The parts of an experiment, each validated by itself so that all errors are found at once.

    Attributes:
        raw: the experiment as given, shorthands written out.
        problems: a line for each error.
        specs: plugin section -> its record, as far as known; "auto" has none.
        parts: section -> its validated options, as far as valid; "" is the head.
    """

    def __init__(self, raw: Mapping[str, Any], registry: Registry, problems: list[str]) -> None:
        self.raw, self.registry, self.problems = normalised(raw), registry, problems
        self.specs: dict[str, Spec] = {}
        self.parts: dict[str, Section] = {}
        self._models: dict[str, type[Section]] = {"": Head, **CORE_SECTIONS}
        for section in (*PLUGIN_SECTIONS, *CORE_SECTIONS):
            self._require_mapping(section)
        self._fill_types()
        for section in PLUGIN_SECTIONS:
            if section in self.raw:
                self._choose(section)
        self._report_unknown_keys()
        for section, model in self._models.items():
            self._validate(section, model)

    def choice(self, section: str) -> Choice[Any, Any] | None:
        """The valid choice of a plugin section, None if there is none."""
        if section not in self.parts:
            return None
        name = self.raw[section]["type"]
        return Choice(KIND_OF_SECTION[section], name, self.parts[section], self.specs.get(section))

    @property
    def task(self) -> TaskSpec | None:
        """The record of the task, if it is known."""
        spec = self.specs.get("task")
        return spec if isinstance(spec, TaskSpec) else None

    def _require_mapping(self, section: str) -> None:
        value = self.raw.get(section)
        if value is not None and not isinstance(value, dict):
            self.problems.append(f"{section}: expected a mapping of options, got {written(value)}")
            del self.raw[section]
            self._models.pop(section, None)

    def _fill_types(self) -> None:
        """Defaults: the backend is chosen by the machine, the executor is the first that is installed.

        A decoder section that names no cell changes options of the encoder's.
        """
        self.raw.setdefault("backend", {}).setdefault("type", AUTO)
        executors = self.registry.specs("executor")
        if executors:
            self.raw.setdefault("executor", {}).setdefault("type", executors[0].name)
        decoder = self.raw.get("decoder")
        if decoder is not None and "type" not in decoder:
            self.raw["decoder"] = self.raw.get("cell", {}) | decoder

    def _choose(self, section: str) -> None:
        name, kind = self.raw[section].get("type"), KIND_OF_SECTION[section]
        if section == "backend" and name == AUTO:
            self._models[section] = Section
            return
        if name is None:
            self.problems.append(f"{section}.type: missing; {self._installed(kind)}")
            return
        if not isinstance(name, str):
            self.problems.append(f"{section}.type: expected text, got {written(name)}")
            return
        try:
            spec = self.registry.get(kind, name)
            self._models[section] = self.registry.config_model(spec)
            self.specs[section] = spec
        except InputError as error:
            self.problems.append(f"{section}.type: {error}")

    def require(self, section: str) -> None:
        """Report a plugin section that is not there and has no default."""
        if section not in self.raw and not any(line.startswith(f"{section}:") for line in self.problems):
            self.problems.append(f"{section}: missing; {self._installed(KIND_OF_SECTION[section])}")

    def _installed(self, kind: Kind) -> str:
        names = ", ".join(sorted(spec.name for spec in self.registry.specs(kind)))
        return f"one of: {names}" if names else f"no {kind} is installed"

    def _validate(self, section: str, model: type[Section]) -> None:
        given = {key: self.raw[key] for key in Head.model_fields if key in self.raw}
        if section:
            given = {str(key): value for key, value in self.raw.get(section, {}).items()}
            if section in PLUGIN_SECTIONS:
                given.pop("type", None)
        try:
            self.parts[section] = model.model_validate(given)
        except ValidationError as error:
            self.problems.extend(wording.explain(error, model, section, self._homes()))

    def _homes(self) -> dict[str, list[str]]:
        """Option -> the dotted keys under which a section of this experiment has it."""
        homes: dict[str, list[str]] = {}
        for section, model in self._models.items():
            for option in model.model_fields:
                homes.setdefault(option, []).append(f"{section}.{option}" if section else option)
        return homes

    def _report_unknown_keys(self) -> None:
        homes = self._homes()
        for key in self.raw:
            if key not in KEYS:
                self.problems.append(f"{key}: unknown key{wording.misplaced(key, KEYS, homes)}")
