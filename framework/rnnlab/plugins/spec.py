"""What a plugin registers: small frozen records that name its objects without importing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Mode = Literal["class", "synchronous", "asynchronous"]
"""The three ways of using a recurrent net: one answer a sequence, one a step, or a sequence of its own."""

Kind = Literal["cell", "task", "dataset", "backend", "executor", "preset"]


@dataclass(frozen=True)
class Spec:
    """One registered object.

    Attributes:
        name: lower-case, unique within its kind; what users write in a config.
        target: "package.module:Object", imported on first use. For a preset: "package:file.yaml".
        config: "package.module:Section" of its options; importing it must not import torch.
        summary: one line for listings.
        requires: importable modules without which it cannot work; reported as missing, never raised.
    """

    name: str
    target: str
    config: str | None = None
    summary: str = ""
    requires: tuple[str, ...] = ()


@dataclass(frozen=True)
class CellSpec(Spec):
    """A recurrent cell: `target` is a subclass of `rnnlab.api.Cell`."""


@dataclass(frozen=True)
class BackendSpec(Spec):
    """A way of running cells: `target` is a subclass of `rnnlab.api.Backend`.

    Attributes:
        rank: of backends that cost the same `backend: auto` takes the highest-ranked; the reference has 0.
        prepares: whether a cell has to be prepared, as by compiling it, for longer than a moment: `auto`
            takes it only where it measured it, and `rnnlab verify` and `bench` only where it is named.
    """

    rank: int = 0
    prepares: bool = False


@dataclass(frozen=True)
class DatasetSpec(Spec):
    """A source of examples: `target` is a subclass of `rnnlab.api.Dataset`.

    Attributes:
        modes: the modes its examples fit; several where an option chooses.
    """

    modes: tuple[Mode, ...] = ()


@dataclass(frozen=True)
class TaskSpec(Spec):
    """What is learned from the examples: `target` is a subclass of `rnnlab.api.Task`.

    Attributes:
        mode: the mode of the data sets it takes.
        metrics: name -> whether more ("max") or less ("min") of it is better; `loss` is always there.
        primary: the metric that picks the best checkpoint unless the config names another.
        decoder: whether the task uses a second cell, the config's `decoder` section.
    """

    mode: Mode = "class"
    metrics: Mapping[str, Literal["max", "min"]] = field(default_factory=lambda: MappingProxyType({}))
    primary: str = "loss"
    decoder: bool = False


@dataclass(frozen=True)
class ExecutorSpec(Spec):
    """Where runs run: `target` is a subclass of `rnnlab.api.Executor`."""


@dataclass(frozen=True)
class PresetSpec(Spec):
    """A packaged experiment: `target` is "package:file.yaml"."""
