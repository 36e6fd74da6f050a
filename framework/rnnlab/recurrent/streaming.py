"""A stack that is run a piece, or a step, at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from rnnlab.recurrent.cell import State
from rnnlab.recurrent.stack import Stack, StackOutput
from rnnlab.recurrent.truncation import cut


class Stream:
    """A stack that goes on, at each call, from where the call before left it.

    Reading a sequence in pieces gives what reading it at once gives; gradients stay within a piece. For text
    without an end, or a signal that is still coming in. Dropout and zoneout are drawn anew for each piece.

    Attributes:
        stack: a one-directional stack.
        state: where it stands, each [L, B, S], without gradients; None before the first call.
    """

    def __init__(self, stack: Stack, state: State | None = None) -> None:
        """
        Args:
            stack: the stack; it is not copied.
            state: where to start, each [L, B, S]; None means the stack's initial state.

        Raises:
            ValueError: the stack is bidirectional, and so needs to see the sequence's end first.
        """
        if stack.num_directions == 2:
            raise ValueError(
                "a bidirectional stack cannot read a stream, it starts at the end as well; "
                "build it with bidirectional off"
            )
        self.stack = stack
        self.state = None if state is None else cut(state)

    def __call__(
        self, x: Tensor, lengths: Tensor | None = None, restart: Tensor | None = None
    ) -> StackOutput:
        """Read the next piece.

        Args:
            x: inputs [T, B, I], T >= 1; the rows go on from those of the call before.
            lengths: steps of each row in this piece [B], 0..T; None means T for every row.
            restart: rows that begin a new sequence with this piece, boolean [B]; None means none.

        Raises:
            ValueError: a shape is not as above, or B is not what it was.
        """
        state = self.state
        if state is not None and x.dim() == 3 and x.shape[1] != state[0].shape[1]:
            raise ValueError(
                f"a stream goes on with the rows it began with, expected {state[0].shape[1]}, "
                f"got {x.shape[1]}; reset() it, or start another Stream"
            )
        if restart is not None and state is not None:
            if restart.shape != x.shape[1:2] or restart.dtype != torch.bool:
                raise ValueError(
                    f"restart must be boolean [{x.shape[1]}], one for each row of x, "
                    f"got {str(restart.dtype).removeprefix('torch.')} {list(restart.shape)}"
                )
            initial = self.stack.initial_state(x.shape[1], x.device, x.dtype)
            state = tuple(
                torch.where(restart[:, None], new, old) for new, old in zip(initial, state, strict=True)
            )
        result = self.stack(x, lengths, state)
        self.state = cut(result.state)
        return result

    def reset(self) -> None:
        """Forget the state: the next call begins new sequences, of any number of rows."""
        self.state = None


class Stepper:
    """Single steps of one sequence, as a decoder takes them that hears its own answers.

    Unlike bare calls of `Stack.step`, they are one sequence in training too: recurrent dropout drops the same
    units at each of them, and `truncate` cuts the gradient every so many.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._masks: tuple[Tensor | None, ...] | None = None
        self._taken = 0

    def __call__(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """The next step, see `Stack.step`: x [B, I] and states [L, B, S] to the output [B, S] and states."""
        if self._masks is None:
            self._masks = self.stack.recurrent_masks(x)
        if self.stack.truncate and self._taken and self._taken % self.stack.truncate == 0:
            state = cut(state)
        self._taken += 1
        return self.stack.step(x, state, self._masks)
