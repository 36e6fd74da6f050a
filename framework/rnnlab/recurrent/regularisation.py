"""Recurrent dropout and zoneout, around the step of any cell."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnnlab.config.section import StackConfig
from rnnlab.errors import InputError, did_you_mean
from rnnlab.recurrent.cell import Cell, State, Step


class Regularised(Cell):
    """A cell whose step reads a hidden state with units dropped, or keeps units of its state, or both.

    With mask m [B, S] of recurrent dropout, the same at every step, and d_t [B, S] of zoneout for each
    state s:

        h~, c~, ... = step(x_t, (m * h_{t-1}, c_{t-1}, ...))
        s_t = d_t * s_{t-1} + (1 - d_t) * s~_t

    In training m is 0 with probability `dropout` and else 1/(1 - dropout) (Gal and Ghahramani 2016), and
    d_t is 1 with probability `zoneout` and else 0; in evaluation m is 1 and d_t its expectation, the rate
    itself (Krueger et al. 2017). m acts where h_{t-1} is read, see `Cell.step_masked`; the h_t that is handed
    on and that leaves the layer is not masked.

    It has no parameters but its cell's. What is random is drawn before the sequence is run, by `beside`, and
    stands in further columns of the inputs and of `project`, so that every backend that runs `project` and
    `step` gives the same values, whatever order it reads the rows in. It promises no equations.

    Attributes:
        cell: the cell; in training or evaluation mode, as all this is.
        dropout: rate of recurrent dropout.
        zoneout: rate for each of the cell's states.
        input_size: I of the cell, and the columns of `beside`.
    """

    def __init__(self, cell: Cell, dropout: float, zoneout: tuple[float, ...]) -> None:
        nn.Module.__init__(self)
        self.cell, self.dropout, self.zoneout = cell, dropout, zoneout
        # An instance's, not the class's: they are those of whatever cell it has.
        self.gates, self.state = cell.gates, cell.state  # pyright: ignore[reportAttributeAccessIssue]
        sizes = cell.state_sizes()
        self._columns = [sizes[0]] if dropout else []
        self._columns += [size for size, rate in zip(sizes, zoneout, strict=True) if rate]
        self.input_size = cell.input_size + sum(self._columns)
        self.hidden_size, self.config = cell.hidden_size, cell.config

    @property
    def acts(self) -> bool:
        """Whether it computes anything but its cell: not in evaluation with recurrent dropout alone."""
        return self.cell.training or any(self.zoneout)

    def mask(self, like: Tensor) -> Tensor | None:
        """Draw m [B, S] for the rows of `like` [.., B, I]; None without recurrent dropout."""
        if not self.dropout:
            return None
        ones = like.new_ones(like.shape[-2], self._columns[0])
        return F.dropout(ones, self.dropout, self.cell.training)

    def beside(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Put beside inputs x [T, B, I] or [B, I] what their steps need: m and d_t, [.., B, input_size].

        Args:
            x: the inputs.
            mask: what `mask` drew before, to go on with the same one; None draws it.
        """
        columns = [x]
        if self.dropout:
            drawn = self.mask(x) if mask is None else mask
            assert drawn is not None
            columns.append(drawn.expand(*x.shape[:-1], -1))
        for size, rate in zip(self.state_sizes(), self.zoneout, strict=True):
            if rate:
                keep = x.new_empty(*x.shape[:-1], size)
                columns.append(keep.bernoulli_(rate) if self.cell.training else keep.fill_(rate))
        return torch.cat(columns, dim=-1)

    def state_sizes(self) -> tuple[int, ...]:
        return self.cell.state_sizes()

    def project(self, x: Tensor) -> Tensor:
        x, beside = x.split([self.cell.input_size, sum(self._columns)], dim=-1)
        return torch.cat([self.cell.project(x), beside], dim=-1)

    def step(self, projected: Tensor, state: State) -> Step:
        own = projected.shape[-1] - sum(self._columns)
        projected, *beside = projected.split([own, *self._columns], dim=-1)
        if self.dropout:
            new, gates = self.cell.step_masked(projected, state, beside.pop(0))
        else:
            new, gates = self.cell.step(projected, state)
        kept = iter(beside)
        return Step(
            tuple(
                torch.lerp(after, before, next(kept)) if rate else after
                for before, after, rate in zip(state, new, self.zoneout, strict=True)
            ),
            gates,
        )


def regularised(cell: Cell, config: StackConfig) -> Regularised | None:
    """`cell` with the stack's recurrent dropout and zoneout around it; None if it has neither.

    Raises:
        InputError: zoneout for a state that the cell has not; recurrent dropout for a cell that carries its
            hidden state on and does not say where the mask acts.
    """
    zoneout = _rates(config.zoneout, cell)
    dropout = config.recurrent_dropout
    if dropout and type(cell).step_masked is Cell.step_masked and _carries_hidden(cell):
        name = type(cell).__name__
        raise InputError(
            f"stack.recurrent_dropout: expected a cell that reads h through weights alone, {name} also "
            "carries it on, so that units would be dropped from its memory; use stack.zoneout, or write "
            f"{name}.step_masked"
        )
    return Regularised(cell, dropout, zoneout) if dropout or any(zoneout) else None


def in_words(config: StackConfig) -> str:
    """What acts on the step: "zoneout", "recurrent dropout and zoneout"; "" for nothing."""
    rates = config.zoneout.values() if isinstance(config.zoneout, Mapping) else (config.zoneout,)
    acting = {"recurrent dropout": config.recurrent_dropout > 0, "zoneout": any(rates)}
    return " and ".join(name for name, acts in acting.items() if acts)


def _rates(zoneout: float | Mapping[str, float], cell: Cell) -> tuple[float, ...]:
    """The rate of each state of `cell`."""
    if not isinstance(zoneout, Mapping):
        return (zoneout,) * len(cell.state)
    for name in zoneout:
        if name not in cell.state:
            raise InputError(
                f"stack.zoneout: expected one rate for all, or names of the states of {type(cell).__name__}, "
                f"got {name!r}{did_you_mean(name, cell.state)}"
            )
    return tuple(zoneout.get(name, 0.0) for name in cell.state)


@torch.no_grad()
def _carries_hidden(cell: Cell) -> bool:
    """Whether h_{t-1} reaches the next state past the weights: whether it matters where they are all zero.

    False on the meta device, where nothing has a value.
    """
    blank = copy.deepcopy(cell).eval()
    tensors = [*blank.parameters(), *blank.buffers()]
    if any(tensor.is_meta for tensor in tensors):
        return False
    for tensor in tensors:
        tensor.zero_()
    like = next((tensor for tensor in tensors if tensor.is_floating_point()), torch.zeros(()))
    x = torch.zeros(1, cell.input_size, device=like.device, dtype=like.dtype)
    state = tuple(torch.zeros(1, size, device=like.device, dtype=like.dtype) for size in cell.state_sizes())
    ones = (torch.ones_like(state[0]), *state[1:])
    projected = blank.project(x)
    without, with_ones = blank.step(projected, state).state, blank.step(projected, ones).state
    return not all(
        torch.allclose(*pair, rtol=0.0, atol=0.0, equal_nan=True)
        for pair in zip(without, with_ones, strict=True)
    )
