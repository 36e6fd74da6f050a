"""The checks, from the equations of one step to gradients; the first that fails says what is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rnnlab.verification.trial import Case, Trial, scale

LENGTHS = (5, 0, 7)
"""One for each of the BATCH_SIZE rows."""
DRAWS = 20
"""How many times numbers are drawn for ones that suit a check of gradients."""


@dataclass(frozen=True)
class Deviation:
    """The entry of one tensor that is furthest from what it should be.

    Attributes:
        tensor: its name.
        index: where in it: [t, b, h] in an output, [b, h] in a state.
        got, expected: the entry.
        error: the distance, as a part of the tensor's largest entry; infinite for a NaN or another shape.
        allowed: how large `error` may be.
    """

    tensor: str
    index: tuple[int, ...]
    got: float
    expected: float
    error: float
    allowed: float

    @property
    def ok(self) -> bool:
        """Whether it is allowed."""
        return self.error <= self.allowed

    @property
    def severity(self) -> float:
        """`error` in units of what is allowed."""
        return self.error / self.allowed if self.allowed else self.error

    def __str__(self) -> str:
        return f"{self.tensor} {list(self.index)}"


@dataclass(frozen=True)
class Check:
    """A question with an answer for each tensor.

    Attributes:
        name: what it is called in the table.
        meaning: what is wrong when it fails.
        deviations: asks it, tensor by tensor.
    """

    name: str
    meaning: str
    deviations: Callable[[Trial], Iterator[Deviation]]


def deviation(
    tensor: str, got: Tensor, expected: Tensor, allowed: float, first_step: int = 0
) -> Deviation | None:
    """The worst entry of `got` against `expected` (same shape, CPU, float64); None if there are no entries.

    Args:
        tensor: their name.
        got, expected: the values.
        allowed: see `Deviation`.
        first_step: what index 0 of the first dimension is called.
    """
    if got.shape != expected.shape:
        return Deviation(f"{tensor} of shape {list(got.shape)}", (), torch.nan, torch.nan, torch.inf, allowed)
    if not expected.numel():
        return None
    error = (got - expected).abs() / scale(expected)
    # A NaN where a NaN is expected would be a cell's doing; elsewhere it is as wrong as can be.
    error = torch.where(got.isfinite() | ~expected.isfinite(), error.nan_to_num(0.0), torch.inf)
    place = [int(i) for i in torch.unravel_index(error.argmax(), error.shape)]
    entry = tuple(place)
    index = (place[0] + first_step, *place[1:]) if place else ()
    return Deviation(tensor, index, float(got[entry]), float(expected[entry]), float(error[entry]), allowed)


def _compared(trial: Trial, *cases: Case, gradient_tolerance: float = 0.0) -> Iterator[Deviation]:
    """Everything that the backend gives for each case, against the loop."""
    for case in cases:
        got = trial.got(case)
        for name, expected in trial.expected(case).items():
            allowed = gradient_tolerance if name.startswith("gradient") else trial.precision.tolerance
            found = deviation(name, got[name], expected, allowed)
            if found and not found.ok:
                found = _lenient(trial, case, found, expected)
            if found:
                yield found


def _lenient(trial: Trial, case: Case, found: Deviation, expected: Tensor) -> Deviation:
    """The deviation with twice what the loop itself is off in this precision, if that is more.

    Layer normalisation, for one, enlarges what 16 bits round away: that is no fault of a backend.
    """
    own = deviation(found.tensor, trial.rounded(case)[found.tensor], expected, found.allowed)
    if own is None or not found.allowed < 2 * own.error < math.inf:
        return found
    return replace(found, allowed=2 * own.error)


def _outputs(trial: Trial, case: Case, first: int, end: int | None) -> Iterator[Deviation]:
    """The outputs of the steps from `first` to before `end`."""
    got, expected = trial.got(case)["output"], trial.expected(case)["output"]
    if got.shape == expected.shape:
        got, expected = got[first:end], expected[first:end]
    found = deviation("output", got, expected, trial.precision.tolerance, first)
    if found and not found.ok and found.index:
        found = _lenient(trial, case, found, trial.expected(case)["output"])
    if found:
        yield found


def _one_step(trial: Trial) -> Iterator[Deviation]:
    # The first of two steps: a backend that drops the last one shows under that name.
    yield from _outputs(trial, Case(seq_len=2), 0, 1)


def _recurrence(trial: Trial) -> Iterator[Deviation]:
    case = Case()
    yield from _outputs(trial, case, 0, case.seq_len - 1)


def _last_step(trial: Trial) -> Iterator[Deviation]:
    yield from _compared(trial, Case(), Case(seq_len=1))


def _initial_state(trial: Trial) -> Iterator[Deviation]:
    yield from _compared(trial, Case(initial=True))


def _lengths(trial: Trial) -> Iterator[Deviation]:
    yield from _compared(
        trial,
        Case(lengths=LENGTHS, initial=True),
        Case(lengths=(2, 4, 3), initial=True),
        Case(lengths=(0, 0, 0), initial=True),
    )


def _reverse(trial: Trial) -> Iterator[Deviation]:
    yield from _compared(trial, Case(reverse=True, initial=True))


def _reverse_with_lengths(trial: Trial) -> Iterator[Deviation]:
    yield from _compared(trial, Case(reverse=True, lengths=LENGTHS, initial=True))


def _large_inputs(trial: Trial) -> Iterator[Deviation]:
    got = trial.got(Case(largest=100.0, gradients=True))
    for name, value in got.items():
        infinite = torch.where(value.isfinite(), 0.0, torch.nan)
        if found := deviation(name, infinite, torch.zeros_like(value), 0.0):
            yield found


def _gradients(trial: Trial) -> Iterator[Deviation]:
    for lengths, reverse in ((None, False), (LENGTHS, False), (LENGTHS, True)):
        case = Case(lengths=lengths, reverse=reverse, initial=True, gradients=True)
        steady, allowed = _steady(trial, case)
        yield from _compared(trial, steady, gradient_tolerance=allowed)


def _steady(trial: Trial, case: Case) -> tuple[Case, float]:
    """The case with numbers whose gradients a rounding does not move far, and how far they may be off.

    Where relu bends, the gradient jumps: with numbers within a rounding of such a place, a backend that
    rounds otherwise than the loop would look wrong. A large cell in 16 bits has such a place in any numbers.
    """
    tolerance = trial.precision.gradient_tolerance
    best, least = case, torch.inf
    for draw in range(DRAWS):
        drawn = replace(case, draw=draw)
        if (jitter := trial.jitter(drawn)) < least:
            best, least = drawn, jitter
        if least <= tolerance:
            break
    return best, max(tolerance, 2 * least)


def _repeatable(trial: Trial) -> Iterator[Deviation]:
    for reverse in (False, True):
        case = Case(lengths=LENGTHS, reverse=reverse, initial=True, gradients=True)
        first, second = trial.got(case), trial.got(case)
        for name, value in first.items():
            if found := deviation(name, second[name], value, 0.0):
                yield found


CHECKS = (
    Check("one step", "a step's equations are not the cell's, for example its gates are mixed up", _one_step),
    Check("recurrence", "a step does not read the state that the step before it left", _recurrence),
    Check("last step", "the last output or the final state is not that of the last step", _last_step),
    Check("initial state", "the initial state is not what the first step reads", _initial_state),
    Check("lengths", "steps past a row's length are not masked: read, not zero, or in the state", _lengths),
    Check("reverse", "a sequence is not read from its last step to its first", _reverse),
    Check(
        "reverse with lengths",
        "a row is not read from its last valid step to its first",
        _reverse_with_lengths,
    ),
    Check("large inputs", "inputs of up to 100 give NaN or infinity", _large_inputs),
    Check("gradients", "a gradient is not that of the loop", _gradients),
    Check("repeatable", "two runs over the same numbers differ", _repeatable),
)
