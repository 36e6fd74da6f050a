"""From a resolved experiment to the objects of a run: data, backend, task."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import nn

from rnnlab.config.experiment import Choice, Experiment
from rnnlab.data.dataset import Dataset
from rnnlab.data.encoding import EncodedData, encode
from rnnlab.data.schema import Schema
from rnnlab.errors import InputError
from rnnlab.plugins.registry import Registry
from rnnlab.plugins.spec import BackendSpec
from rnnlab.recurrent.backend import Backend
from rnnlab.recurrent.cell import Cell
from rnnlab.recurrent.selection import Selection, select_backend
from rnnlab.recurrent.stack import Stack
from rnnlab.training.task import Task

DTYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class Place:
    """Where and in what precision a run computes."""

    device: torch.device
    dtype: torch.dtype


def place(experiment: Experiment, device: str | None = None) -> Place:
    """The device (or `device` instead) and dtype of the training section; sets threads and determinism.

    Raises:
        InputError: a GPU was asked for and there is none.
    """
    training = experiment.training
    available = torch.cuda.is_available()
    device = device or training.device
    if device == "cuda" and not available:
        raise InputError("training.device: expected a GPU for 'cuda', found none; use training.device=cpu")
    torch.set_num_threads(training.threads or 1)
    if training.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what torch asks for on a GPU
    torch.use_deterministic_algorithms(training.deterministic)
    name = device if device != "auto" else ("cuda" if available else "cpu")
    return Place(torch.device(name), DTYPES[training.dtype])


def read_data(experiment: Experiment, registry: Registry) -> tuple[EncodedData, str]:
    """Read and encode the experiment's data set; with its licence."""
    dataset: Dataset = registry.load(experiment.dataset.spec)(experiment.dataset.options)
    return encode(dataset.read(), experiment.dataset.options), dataset.licence


class ModelBuilder:
    """Builds the task's model, and the recurrent stacks inside it, for one experiment.

    Attributes:
        selections: role ("encoder", "decoder") -> the backend chosen for it and why.
    """

    def __init__(self, experiment: Experiment, registry: Registry, where: Place) -> None:
        self.experiment, self.registry, self.where = experiment, registry, where
        self.selections: dict[str, Selection] = {}

    def task(self, schema: Schema) -> Task:
        """The task, on its device and in its dtype."""
        choice = self.experiment.task
        build = self.registry.load(choice.spec)
        task: Task = build(choice.options, schema, self.stack)
        return task.to(device=self.where.device, dtype=self.where.dtype)

    def stack(self, input_size: int, *, role: Literal["encoder", "decoder"] = "encoder") -> Stack:
        """A recurrent stack on torch's default device; the `StackBuilder` that tasks are given."""
        choice = self.experiment.cell
        config = self.experiment.stack
        if role == "decoder":
            choice = self.experiment.decoder or choice
            config = config.model_copy(update={"bidirectional": False})
        cell_class = self.registry.load(choice.spec)

        def make_cell(input_size: int, hidden_size: int) -> Cell:
            return cell_class(input_size, hidden_size, choice.options)

        probes = [make_cell(input_size, config.hidden_size)]
        if config.num_layers > 1:
            width = probes[0].state_sizes()[0] * (2 if config.bidirectional else 1)
            probes.append(make_cell(width, config.hidden_size))
        selection = select_backend(
            self._candidates,
            self.experiment.backend.name,
            choice.name,
            probes,
            self.where.device,
            self.where.dtype,
        )
        self.selections[role] = selection
        return Stack(make_cell, input_size, config, selection.backend)

    @property
    def backend(self) -> str:
        """The backends chosen, without repetition: one name, or as many as the stacks need."""
        return "+".join(dict.fromkeys(selection.name for selection in self.selections.values()))

    @property
    def backend_reason(self) -> str:
        """Why those, each stack's reason named if they differ."""
        reasons = {role: selection.reason for role, selection in self.selections.items()}
        if len(set(reasons.values())) == 1:
            return next(iter(reasons.values()))
        return "; ".join(f"{role} {reason}" for role, reason in reasons.items())

    @cached_property
    def _candidates(self) -> list[tuple[BackendSpec, Backend]]:
        return [(spec, self.registry.load(spec)()) for spec in self.registry.specs("backend")]


def parameter_count(model: nn.Module) -> int:
    """Trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def versions(registry: Registry, experiment: Experiment) -> dict[str, str]:
    """Versions of what the run stands on: python, torch, and each distribution that provides a part of it."""
    found = {"python": platform.python_version(), "torch": torch.__version__}
    choices: list[Choice | None] = [
        experiment.task,
        experiment.dataset,
        experiment.cell,
        experiment.decoder,
        experiment.backend,
    ]
    for choice in choices:
        if choice is not None and choice.spec is not None:
            provider, version = registry.provider(choice.spec)
            found[provider] = version
    return found | {"rnnlab": importlib.metadata.version("rnnlab")}
