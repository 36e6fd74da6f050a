"""From a resolved experiment to the objects of a run: data, backend, task."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import ceil
from typing import Literal

import torch
from torch import nn

from rnnlab.config.experiment import AUTO, Choice, Experiment
from rnnlab.data.dataset import Dataset
from rnnlab.data.encoding import EncodedData, encode
from rnnlab.data.ragged import Ragged
from rnnlab.data.schema import Schema
from rnnlab.errors import InputError
from rnnlab.plugins.registry import Registry
from rnnlab.plugins.spec import BackendSpec
from rnnlab.recurrent.backend import Backend
from rnnlab.recurrent.cell import Cell
from rnnlab.recurrent.measurement import Meter, Workload
from rnnlab.recurrent.regularisation import in_words, regularised
from rnnlab.recurrent.selection import Selection, select_backend
from rnnlab.recurrent.stack import Stack
from rnnlab.training.task import Task
from rnnlab.training.trial import try_step

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
        selections: role ("encoder", "decoder") -> the backend chosen for it and why; "encoder in evaluation"
            and so on where that is chosen apart.
    """

    def __init__(
        self,
        experiment: Experiment,
        registry: Registry,
        where: Place,
        workloads: Mapping[str, Workload] | None = None,
        kept: Mapping[str, str] | None = None,
        meter: Meter | None = None,
    ) -> None:
        """Build for an experiment.

        Args:
            experiment: the resolved config.
            registry: the installed plugins.
            where: the device and dtype.
            workloads: role -> what the run will ask of that stack, for `backend: auto` to measure; without
                it `auto` goes by rank, and nothing is measured or prepared.
            kept: role -> the backend that a run which goes on was started with, which `auto` takes again
                if it still can run the cells.
            meter: measures for `backend: auto`; by default one that keeps what it finds in the user's cache.
        """
        self.experiment, self.registry, self.where = experiment, registry, where
        self.workloads, self.kept, self.meter = workloads or {}, kept or {}, meter
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
            # It reads forwards, and starts where the encoder ends.
            config = config.model_copy(update={"bidirectional": False, "learned_initial_state": False})
        cell_class = self.registry.load(choice.spec)

        def make_cell(input_size: int, hidden_size: int) -> Cell:
            return cell_class(input_size, hidden_size, choice.options)

        # Values tell whether recurrent dropout suits the cell, so that one is real where the rest is meta.
        with torch.device("cpu") if config.recurrent_dropout else nullcontext():
            probes = [make_cell(input_size, config.hidden_size)]
        widths = [input_size]
        if config.num_layers > 1:
            width = probes[0].state_sizes()[0] * (2 if config.bidirectional else 1)
            probes.append(make_cell(width, config.hidden_size))
            widths.append(width)
        for probe, width in zip(probes, widths, strict=True):
            try_step(choice.spec, self.registry, probe, width, partial(make_cell, width, config.hidden_size))
        wrapped = [around for cell in probes if (around := regularised(cell, config)) is not None]
        directions = 2 if config.bidirectional else 1
        counts = (directions, directions * (config.num_layers - 1))[: len(probes)]
        if not wrapped:
            selection = self._select(role, choice.name, probes, counts)
            return Stack(make_cell, input_size, config, selection.backend)
        plain = selection = self._select(role, f"{choice.name} with {in_words(config)}", wrapped, counts)
        if not wrapped[0].eval().acts:
            plain = self._select(f"{role} in evaluation", choice.name, probes, counts)
        return Stack(make_cell, input_size, config, plain.backend, selection.backend)

    def _select(
        self, role: str, cell_name: str, probes: Sequence[Cell], counts: tuple[int, ...]
    ) -> Selection:
        """Choose for a role; `counts` says how many of the stack's cells are as each of the probes."""
        requested, where = self.experiment.backend.name, self.where
        workload = self.workloads.get(role.split()[0])
        if workload is not None:
            workload = replace(workload, layers=counts)

        def select(name: str) -> Selection:
            return select_backend(
                self._candidates, name, cell_name, probes, where.device, where.dtype, workload, self.meter
            )

        kept = self.kept.get(role, AUTO)
        chosen = None
        if requested == AUTO and kept in {spec.name for spec, _ in self._candidates}:
            # It may be refused by now: the run goes on on another device, or without a compiler.
            with suppress(InputError):
                chosen = replace(select(kept), reason=f"{kept}: the run was started with it")
        chosen = chosen or select(requested)
        self.selections[role] = chosen
        return chosen

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

    @property
    def provisional(self) -> bool:
        """Whether a run might take others, because it would measure."""
        return any(selection.provisional for selection in self.selections.values())

    @cached_property
    def _candidates(self) -> list[tuple[BackendSpec, Backend]]:
        return [(spec, self.registry.load(spec)()) for spec in self.registry.specs("backend")]


def planned_steps(data: EncodedData, experiment: Experiment) -> int:
    """Optimizer steps of a whole run on `data`, unless it stops early."""
    training = experiment.training
    planned = ceil(data.sizes["train"] / training.batch_size) * training.epochs
    return min(planned, training.max_steps or planned)


def workloads(data: EncodedData, experiment: Experiment) -> dict[str, Workload]:
    """What training on `data` asks of each stack, by its role.

    Batches hold rows of like length, so that a typical batch is as long as the mean row.
    """
    split = data.splits["train"]
    rows = min(experiment.training.batch_size, len(split))
    read = {"encoder": split.source.lengths}
    if isinstance(split.target, Ragged):
        read["decoder"] = split.target.lengths
    steps = planned_steps(data, experiment)
    return {
        role: Workload(
            rows,
            max(1, round(float(lengths.double().mean()))),
            steps,
            unequal=int(lengths.min()) != int(lengths.max()),
        )
        for role, lengths in read.items()
    }


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
