"""What is checked of a task: small data of its mode, and stacks of each installed cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from rnnlab.config.section import DatasetConfig, StackConfig
from rnnlab.data.batch import IGNORE, Batch
from rnnlab.data.dataset import Corpus, Example
from rnnlab.data.encoding import EncodedData, EncodedSplit, encode
from rnnlab.errors import InputError
from rnnlab.plugins.spec import CellSpec, Mode
from rnnlab.recurrent.stack import Stack
from rnnlab.testing.cells import Loop, seeded
from rnnlab.testing.check import Failed, Skipped
from rnnlab.testing.subject import Subject
from rnnlab.training.task import Task

LENGTHS = (5, 2, 7, 1, 4, 3)
WORDS = ("a", "b", "c", "d", "e")
LABELS = ("B-x", "I-x", "O", "B-y")
"""Spans, so that metrics of spans have something to count."""
FEATURES = 3
HIDDEN_SIZE = 12


@dataclass(frozen=True)
class Setting:
    """A task on small data.

    Attributes:
        label: what it is, for messages.
        task: in float64 in evaluation mode.
        split: the examples it is checked on.
    """

    label: str
    task: Task
    split: EncodedSplit

    @property
    def batch(self) -> Batch:
        """The whole split, its shortest row 1 step."""
        return self.split.batch(torch.arange(len(self.split)))


class TaskSubject(Subject):
    """A task, in the settings that it could be used in."""

    @cached_property
    def data(self) -> dict[str, EncodedData]:
        """Small data of the task's mode: with sources of tokens, and of features."""
        return {source: small_data(self.spec.mode, source) for source in ("tokens", "features")}

    def settings(self, seed: int = 0, every_cell: bool = False) -> Iterator[Setting]:
        """The task on data of tokens and of features, over one cell or over each that is installed.

        Raises:
            Skipped: no cell is installed that can be made with its defaults.
            Failed: the task refuses both tokens and features.
        """
        refused: list[str] = []
        for source, data in self.data.items():
            for cell in self._cells()[: None if every_cell else 1]:
                try:
                    task = self.build(data, cell, seed)
                except InputError as reason:
                    refused.append(f"{source}, {cell.name}: {reason}")
                    continue
                yield Setting(f"{source}, cell {cell.name}", task.eval(), data.splits["train"])
        if len(refused) == len(self.data) * len(self._cells()[: None if every_cell else 1]):
            raise Failed(f"it can be built for nothing: {'; '.join(refused)}")

    def build(self, data: EncodedData, cell: CellSpec, seed: int = 0, **stack: Any) -> Task:
        """The task in float64 over the loop, its parameters drawn with `seed`."""
        made, section = self.registry.load(cell), self.registry.config_model(cell)()
        config = StackConfig(hidden_size=HIDDEN_SIZE, **stack)

        def build_stack(input_size: int, *, role: Literal["encoder", "decoder"] = "encoder") -> Stack:
            own = config.model_copy(update={"bidirectional": False}) if role == "decoder" else config
            return Stack(lambda i, h: made(i, h, section), input_size, own, Loop())

        with seeded(seed):
            return self.target(self.section, data.schema, build_stack).double()

    def _cells(self) -> list[CellSpec]:
        found = []
        for spec in self.registry.specs("cell"):
            model = self.registry.config_model(spec)
            if not any(field.is_required() for field in model.model_fields.values()):
                found.append(spec)
        if not found:
            raise Skipped("no cell is installed to build it with")
        return found


def small_data(mode: Mode, source: str) -> EncodedData:
    """Six examples of 1 to 7 steps of "tokens" or "features"; each split has them all."""
    draw = np.random.RandomState(0)

    def read(length: int) -> Any:
        if source == "features":
            return draw.randn(length, FEATURES).astype(np.float32)
        return tuple(WORDS[i] for i in draw.randint(len(WORDS), size=length))

    def target(number: int, length: int) -> Any:
        if mode == "class":
            return LABELS[number % 3]
        if mode == "synchronous":
            return tuple(LABELS[(number + t) % len(LABELS)] for t in range(length))
        return tuple(WORDS[(number + t) % len(WORDS)] for t in range(1 + (length * 2) % 5))

    examples = [Example(read(length), target(n, length)) for n, length in enumerate(LENGTHS)]
    return encode(Corpus(mode, dict.fromkeys(("train", "val", "test"), examples)), DatasetConfig(limit=None))


def padded(batch: Batch, steps: int) -> Batch:
    """The batch with `steps` more steps of padding, and garbage wherever a source row has ended."""
    more = [0, 0] * (batch.source.dim() - 1) + [0, steps]
    source = torch.nn.functional.pad(batch.source, more).clone()
    ended = torch.arange(len(source))[:, None] >= batch.lengths
    source[ended] = torch.nan if source.is_floating_point() else 1
    target = batch.target
    if target is not None and target.dim() == 2:
        target = torch.nn.functional.pad(target, [0, 0, 0, steps], value=IGNORE)
    return replace(batch, source=source, target=target)


def one_by_one(split: EncodedSplit) -> list[Batch]:
    """Each example as a batch of its own."""
    return [split.batch(torch.tensor([i])) for i in range(len(split))]


def gradients(task: Task, batch: Batch) -> dict[str, Tensor | None]:
    """Of the training loss by each parameter; None where none arrives."""
    task.zero_grad(set_to_none=True)
    task.loss(batch).value.backward()
    return {name: parameter.grad for name, parameter in task.named_parameters() if parameter.requires_grad}
