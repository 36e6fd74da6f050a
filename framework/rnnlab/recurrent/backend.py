"""The contract of a backend: run one cell over a padded, time-major sequence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from rnnlab.recurrent.cell import Cell, State


class Sequence(NamedTuple):
    """A cell run over a sequence.

    Attributes:
        output: hidden states [T, B, S], zero at and after each row's length.
        state: the state after each row's last step, each [B, S]; the initial state for a row of length 0.
    """

    output: Tensor
    state: State


class Backend(ABC):
    """A way of running cells; every backend must give what `rnnlab.recurrent.loop` gives."""

    @abstractmethod
    def supports(self, cell: Cell, device: torch.device, dtype: torch.dtype) -> str | None:
        """Return None, or the reason why this backend cannot run `cell`, in words for the user."""

    def advice(self, cell: Cell, device: torch.device, dtype: torch.dtype) -> str | None:
        """Return None, or why `backend: auto` should rather take another one, in words for the user.

        Asked only for cells that `supports` accepted, for example by a backend that is right everywhere and
        quick only where it was measured. `auto` then takes this one only if no other can run the cell; a
        backend asked for by name is not asked for advice. None here.
        """
        return None

    def preparation(self, cell: Cell, device: torch.device, dtype: torch.dtype) -> float:
        """Seconds that `prepare` is expected to take; 0.0 for a backend that has nothing to prepare.

        Asked only for cells that `supports` accepted, by `backend: auto`, which does not prepare what a run
        is too short for.
        """
        return 0.0

    def prepare(self, cell: Cell, device: torch.device, dtype: torch.dtype) -> float:
        """Do what `run` would do first, as compiling, and give the seconds that it took; here nothing.

        Raises:
            InputError: it cannot be done; the line says why.
        """
        return 0.0

    @abstractmethod
    def run(
        self, cell: Cell, x: Tensor, state: State, lengths: Tensor | None = None, reverse: bool = False
    ) -> Sequence:
        """Run `cell` over `x`.

        Args:
            cell: a cell that `supports` accepted.
            x: inputs [T, B, I]; what stands at and after a row's length is never read into a result.
            state: initial state, each [B, S].
            lengths: valid steps per row [B], integer, on x's device, 0..T; None means T for every row.
            reverse: read each row from its last valid step to its first; outputs stay in place.
        """
