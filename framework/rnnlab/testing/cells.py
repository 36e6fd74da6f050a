"""What is checked of a cell: its formula, its gradients, and that it is one step and nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from rnnlab.config.section import Section, StackConfig
from rnnlab.errors import InputError
from rnnlab.recurrent.backend import Backend, Sequence
from rnnlab.recurrent.cell import Cell, State
from rnnlab.recurrent.loop import loop
from rnnlab.recurrent.stack import Stack
from rnnlab.testing.subject import Subject
from rnnlab.verification.combinations import Variant, variants
from rnnlab.verification.trial import Numbers, compute

SEQ_LEN, BATCH_SIZE, INPUT_SIZE, HIDDEN_SIZE = 6, 3, 5, 8
EXACT = 1e-9
"""How far results of the same sums in another order may be apart in float64, by the largest entry."""


class Loop(Backend):
    """The loop that defines a cell, as a backend for stacks."""

    def supports(self, cell: Cell, device: torch.device, dtype: torch.dtype) -> str | None:
        """None: it runs every cell."""
        return None

    def run(
        self, cell: Cell, x: Tensor, state: State, lengths: Tensor | None = None, reverse: bool = False
    ) -> Sequence:
        """As `loop`."""
        return loop(cell, x, state, lengths, reverse)


@dataclass(frozen=True)
class Form:
    """A cell with some of its options.

    Attributes:
        label: as the command line writes it.
        section: its options.
        target: the cell's class.
    """

    label: str
    section: Section
    target: Any

    def hidden_size(self, at_least: int = HIDDEN_SIZE) -> int:
        """The first H from `at_least` on that the cell does not refuse; `at_least` if it refuses many."""
        for size in range(at_least, 4 * at_least + 1):
            try:
                with seeded(0):
                    self.target(INPUT_SIZE, size, self.section)
            except InputError:
                continue
            return size
        return at_least

    def make(self, input_size: int = INPUT_SIZE, at_least: int = HIDDEN_SIZE, seed: int = 0) -> Cell:
        """The cell on the CPU in float64 in evaluation mode.

        Args:
            input_size: I.
            at_least: H, or the next that the cell does not refuse.
            seed: of its parameters.
        """
        hidden_size = self.hidden_size(at_least)
        with seeded(seed):
            return self.target(input_size, hidden_size, self.section).double().eval()

    def modes(self) -> Iterator[tuple[str, Cell]]:
        """The cell in evaluation, and in training if that draws nothing random; each with its label."""
        yield self.label, self.make()
        runs: list[dict[str, Tensor]] = []
        for seed in range(2):
            made = self.make().train()
            with seeded(seed):
                runs.append(results(made, numbers(made)))
        if all(torch.equal(value, runs[1][name]) for name, value in runs[0].items()):
            yield f"{self.label} in training", self.make().train()

    def stack(self, seed: int = 0, **options: Any) -> Stack:
        """A stack of such cells over the loop, as `make` makes a cell."""
        config = StackConfig(hidden_size=self.hidden_size(), **options)
        with seeded(seed):
            made = Stack(lambda i, h: self.target(i, h, self.section), INPUT_SIZE, config, Loop())
        return made.double().eval()


class CellSubject(Subject):
    """A cell and each form of it that its options give."""

    @property
    def forms(self) -> list[Form]:
        """With the options given or the defaults, then with every other value of each that is a choice."""
        model, target, first = self.registry.config_model(self.spec), self.target, self.section
        found = [Form(self._label({}), first, target)]
        for variant in variants(self.registry, self.spec):
            options = dict(variant.options)
            if not options or set(options) & set(self.given):
                continue
            try:
                section = model.model_validate(self.given | options)
            except ValueError:  # options that exclude one another; the section says so
                continue
            found.append(Form(self._label(options), section, target))
        return found

    def _label(self, options: dict[str, Any]) -> str:
        return Variant(self.spec, self.given | options).label


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed python, numpy and torch, and put their states back after."""
    from rnnlab.training.checkpoint import random_state, restore_random
    from rnnlab.training.session import seed_everything

    before = random_state()
    seed_everything(seed)
    try:
        yield
    finally:
        restore_random(before)


def nudged(cell: Cell) -> Cell:
    """The cell with every parameter moved: one that starts at zero would hide what it multiplies or adds."""
    with torch.no_grad():
        for parameter in cell.parameters():
            steps = torch.linspace(-0.3, 0.3, parameter.numel(), dtype=parameter.dtype)
            parameter += steps.view_as(parameter)
    return cell


def numbers(cell: Cell, seq_len: int = SEQ_LEN, batch_size: int = BATCH_SIZE, seed: int = 1) -> Numbers:
    """Random inputs, initial states, and gradients by output and final states, in float64."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    sizes = cell.state_sizes()
    state = tuple(normal(batch_size, size) * 0.5 for size in sizes)
    upstream = (normal(seq_len, batch_size, sizes[0]), *(normal(batch_size, size) for size in sizes))
    return Numbers(normal(seq_len, batch_size, cell.input_size), state, upstream)


def in_dtype(given: Numbers, dtype: torch.dtype) -> Numbers:
    """The same numbers, rounded."""
    state, upstream = (tuple(each.to(dtype) for each in some) for some in (given.state, given.upstream))
    return Numbers(given.x.to(dtype), state, upstream)


def results(
    cell: Cell, given: Numbers, lengths: Tensor | None = None, reverse: bool = False
) -> dict[str, Tensor]:
    """What the loop gives, gradients included, by name: see `rnnlab.verification.trial.compute`."""
    return compute(loop, cell, given, lengths, reverse, gradients=True)


def batch_sized(named: dict[str, Tensor], cell: Cell) -> set[str]:
    """The names in `results` whose tensors have a row for each row of the batch."""
    parameters = {f"gradient of {name}" for name, _ in cell.named_parameters()}
    return set(named) - parameters


def weights(module: nn.Module) -> dict[str, Tensor]:
    """Copies of all that a checkpoint keeps."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def saved_and_loaded(module: nn.Module, other: nn.Module) -> None:
    """Give `other` the weights of `module` by way of a checkpoint's file.

    Raises:
        InputError: they do not fit.
    """
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from rnnlab.training.checkpoint import Progress, load_weights, save

    with TemporaryDirectory() as folder:
        load_weights(save(Path(folder), module, {}, Progress(), best=True), other)
