"""A resolved experiment: every plugin chosen, every option known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import yaml

from rnnlab.config.section import CellConfig, DatasetConfig, Section, StackConfig
from rnnlab.config.training import TrackingConfig, TrainingConfig
from rnnlab.plugins.spec import BackendSpec, CellSpec, DatasetSpec, ExecutorSpec, Kind, Spec, TaskSpec

AUTO = "auto"
"""The `backend` that is no plugin: of those that support the cell, the one that costs least is taken."""

SpecT = TypeVar("SpecT", bound=Spec | None, covariant=True)
OptionsT = TypeVar("OptionsT", bound=Section, covariant=True)


@dataclass(frozen=True)
class Choice(Generic[SpecT, OptionsT]):
    """A plugin chosen by an experiment, with its options.

    Attributes:
        kind: what it is; the `decoder` section chooses a "cell".
        name: the plugin's name, the section's `type`.
        options: the section without `type`, validated.
        spec: the plugin's record; None for the backend "auto".
    """

    kind: Kind
    name: str
    options: OptionsT
    spec: SpecT

    def to_dict(self) -> dict[str, Any]:
        """The section as it stands in a config file, every default written out."""
        return {"type": self.name, **self.options.model_dump(mode="json")}


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Everything that decides a run. `build(experiment.to_dict(), registry)` gives an equal one.

    Attributes:
        name: begins the run's id.
        description: free text.
        seed: of every random number.
        task, dataset, cell, executor: the plugins chosen.
        decoder: the second cell, for tasks that have one.
        backend: the plugin that runs the cells, or "auto".
        stack, training, tracking: the core's own sections.
    """

    name: str
    description: str
    seed: int
    task: Choice[TaskSpec, Section]
    dataset: Choice[DatasetSpec, DatasetConfig]
    cell: Choice[CellSpec, CellConfig]
    decoder: Choice[CellSpec, CellConfig] | None
    backend: Choice[BackendSpec | None, Section]
    stack: StackConfig
    training: TrainingConfig
    tracking: TrackingConfig
    executor: Choice[ExecutorSpec, Section]

    @property
    def monitor(self) -> str:
        """The validation metric that picks the best checkpoint: the config's, or else the task's own."""
        return self.training.monitor or self.task.spec.primary

    @property
    def better(self) -> Literal["max", "min"]:
        """Whether more or less of `monitor` is better."""
        return self.task.spec.metrics.get(self.monitor, "min")

    def to_dict(self) -> dict[str, Any]:
        """The experiment as plain YAML data, complete: every default is written out."""
        parts: dict[str, Choice | Section | str | int | None] = vars(self)
        return {
            key: part.to_dict()
            if isinstance(part, Choice)
            else part.model_dump(mode="json")
            if isinstance(part, Section)
            else part
            for key, part in parts.items()
            if part is not None
        }

    def dump_yaml(self) -> str:
        """The text of a config file that gives this experiment again."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True, width=100)


def flatten(config: Mapping[str, Any]) -> dict[str, Any]:
    """A resolved config as dotted key -> scalar, as overrides name them; lists and mappings as JSON."""
    flat: dict[str, Any] = {}
    for key, part in config.items():
        if isinstance(part, Mapping):
            flat |= {f"{key}.{option}": _scalar(value) for option, value in part.items()}
        else:
            flat[key] = part
    return flat


def _scalar(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value
