"""Backends that are wrong on purpose, as a user's own plugins."""

from __future__ import annotations

from pathlib import Path

import pytest

WRONG = '''
"""Backends around the loop, each with one fault."""

import copy

import torch
import torch.nn.functional as F

from rnnlab.api import Backend, BackendSpec, Sequence, Step, hookimpl, loop


class Right(Backend):
    def supports(self, cell, device, dtype):
        return None if cell.equations == "lstm" else "a test of LSTMs"

    def run(self, cell, x, state, lengths=None, reverse=False):
        return loop(cell, x, state, lengths, reverse)


def changed(cell, **changes):
    """The cell with other parameters, whose gradients reach its own."""
    other = copy.copy(cell)
    other._parameters = {name: changes.get(name, each) for name, each in cell._parameters.items()}
    return other


def forget_first(blocks):
    i, f, g, o = blocks.chunk(4)
    return torch.cat([f, i, g, o])


class GatesSwapped(Right):
    """Reads the gates in the order f, i, g, o."""

    def run(self, cell, x, state, lengths=None, reverse=False):
        swapped = {name: forget_first(each) for name, each in cell.named_parameters()}
        return loop(changed(cell, **swapped), x, state, lengths, reverse)


class MaskIgnored(Right):
    def run(self, cell, x, state, lengths=None, reverse=False):
        return loop(cell, x, state, None, reverse)


class LastStepDropped(Right):
    def run(self, cell, x, state, lengths=None, reverse=False):
        if len(x) == 1:
            return Sequence(torch.zeros_like(state[0])[None], state)
        output, final = loop(cell, x[:-1], state, lengths, reverse)
        return Sequence(F.pad(output, (0, 0, 0, 0, 0, 1)), final)


class StateForgotten(Right):
    def run(self, cell, x, state, lengths=None, reverse=False):
        return loop(cell, x, tuple(s * 0 for s in state), lengths, reverse)


class NoRecurrence(Right):
    """Reads h = 0 at every step but the first, by way of one sequence per step."""

    def run(self, cell, x, state, lengths=None, reverse=False):
        outputs = [loop(cell, x_t[None], state, None, False) for x_t in x]
        return Sequence(torch.cat([each.output for each in outputs]), outputs[-1].state)


class NeverReversed(Right):
    def run(self, cell, x, state, lengths=None, reverse=False):
        return loop(cell, x, state, lengths)


class PaddingReadFirst(Right):
    """Reverses whole columns, padding and all, so that a row begins in its padding."""

    def run(self, cell, x, state, lengths=None, reverse=False):
        if not reverse or lengths is None:
            return loop(cell, x, state, lengths, reverse)
        valid = (torch.arange(len(x), device=x.device)[:, None] < lengths)[..., None]
        output, final = loop(cell, torch.where(valid, x, 0.0), state, None, True)
        return Sequence(torch.where(valid, output, 0.0), final)


class GradientWrong(Right):
    """Right values; the gradient by weight_hh is twice what it should be."""

    def run(self, cell, x, state, lengths=None, reverse=False):
        doubled = 2 * cell.weight_hh - cell.weight_hh.detach()
        return loop(changed(cell, weight_hh=doubled), x, state, lengths, reverse)


class Overflowing(Right):
    def run(self, cell, x, state, lengths=None, reverse=False):
        output, final = loop(cell, x, state, lengths, reverse)
        return Sequence(output / (x.nan_to_num().abs().amax() < 90), final)


class Wandering(Right):
    calls = 0

    def run(self, cell, x, state, lengths=None, reverse=False):
        Wandering.calls += 1
        output, final = loop(cell, x, state, lengths, reverse)
        return Sequence(output * (1 + 1e-7 * (Wandering.calls % 2)), final)


class Raising(Right):
    def run(self, cell, x, state, lengths=None, reverse=False):
        raise RuntimeError("no kernel image")


class RightForGru(Right):
    def supports(self, cell, device, dtype):
        return None if cell.equations == "gru" else "a test of GRUs"


class ResetBeforeProduct(RightForGru):
    """The equations of the paper and not those of nn.GRU: W_hn (r * h)."""

    def run(self, cell, x, state, lengths=None, reverse=False):
        other = changed(cell)

        def step(projected, state):
            (h,) = state
            (_, (r, z, _)) = cell.step(projected, state)
            bias = 0.0 if cell.bias_hh is None else cell.bias_hh.chunk(3)[2]
            n = torch.tanh(projected.chunk(3, dim=-1)[2] + (r * h) @ cell.weight_hh.chunk(3)[2].T + bias)
            return Step(((1 - z) * n + z * h,), (r, z, n))

        other.step = step
        return loop(other, x, state, lengths, reverse)


class UpdateTurnedRound(RightForGru):
    """z weighs the candidate, as some papers have it."""

    def run(self, cell, x, state, lengths=None, reverse=False):
        def turned(blocks):
            r, z, n = blocks.chunk(3)
            return torch.cat([r, -z, n])

        other = {name: turned(each) for name, each in cell.named_parameters()}
        return loop(changed(cell, **other), x, state, lengths, reverse)


@hookimpl
def rnnlab_backends():
    for name, backend in list(globals().items()):
        if isinstance(backend, type) and issubclass(backend, Right):
            yield BackendSpec("".join("_" + c.lower() if c.isupper() else c for c in name)[1:],
                              f"{__name__}:{name}", rank=5)
'''


@pytest.fixture(scope="session")
def wrong_backends(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for --plugins-dir: a backend `right` and others named for their faults, for LSTMs and GRUs."""
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "wrong.py").write_text(WRONG)
    return folder
