"""Which tensors of a cell its programs take, and by what they are known in the cache."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rnnlab.api import Cell, Step
from rnnlab.config.section import CellConfig
from rnnlab_plugins.backends import programs
from rnnlab_plugins.backends.sources import read_by_step, sources


class Leaky(Cell):
    """Its own recurrence, and a buffer."""

    def make_parameters(self) -> None:
        self.register_buffer("rate", torch.tensor(0.3))

    def step(self, projected, state):
        (h,) = state
        return Step(
            (h + self.rate * (torch.tanh(projected + F.linear(h, self.weight_hh, self.bias_hh)) - h),)
        )


class Projecting(Leaky):
    """No parameter in its step."""

    def step(self, projected, state):
        return Step((state[0] + self.rate * projected,))


class Signed(Leaky):
    """Reads a parameter through which no gradient goes."""

    def step(self, projected, state):
        return Step((torch.tanh(projected + F.linear(state[0], self.weight_hh.detach().sign())),))


class Reservoir(Leaky):
    """Weights that are buffers, and no parameter."""

    def __init__(self, input_size: int, hidden_size: int, config: CellConfig) -> None:
        nn.Module.__init__(self)
        self.input_size, self.hidden_size, self.config = input_size, hidden_size, config
        self.register_buffer("order", torch.arange(hidden_size))
        self.register_buffer("weight", torch.ones(hidden_size, input_size))

    def project(self, x):
        return F.linear(x, self.weight)

    def step(self, projected, state):
        return Step((torch.tanh(projected + state[0][:, self.order]),))


READ = {
    Leaky: ["weight_hh", "bias_hh", "rate"],
    Projecting: ["rate"],
    Signed: ["weight_hh", "rate"],
    Reservoir: ["order", "weight"],
}


def make(kind: type[Cell]) -> Cell:
    return kind(3, 5, CellConfig()).double()


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("inference", [False, True])
@pytest.mark.parametrize("kind", READ, ids=lambda kind: kind.__name__)
def test_what_a_step_reads_frozen_or_not_and_whatever_the_mode(kind, frozen, inference):
    cell = make(kind)
    path = programs.cache_path(cell, torch.float64)
    for parameter in cell.parameters():
        parameter.requires_grad_(not frozen)
    with torch.inference_mode(inference):
        assert read_by_step(cell) == READ[kind]
        assert programs.cache_path(cell, torch.float64) == path


def test_traced_with_a_number_of_rows_that_is_no_size_of_the_cell():
    cell = make(Projecting)
    primes = [n for n in range(2, 70) if all(n % m for m in range(2, n))]
    for prime in primes:
        cell.register_buffer(f"of_{prime}", torch.zeros(prime).double())
    projected = sources(cell, torch.float64)["forward"].arguments[0]
    assert projected.shape[1] == 71


@pytest.fixture
def path(monkeypatch):
    """The folder of a cell's programs on a processor of which Linux says this; None: there is no saying."""

    def path(said: str | None) -> Path:
        def read_text(self: Path) -> str:
            assert self == Path("/proc/cpuinfo")
            if said is None:
                raise FileNotFoundError
            return said

        with monkeypatch.context() as patch:
            patch.setattr(Path, "read_text", read_text)
            patch.setattr(programs, "_processor", programs._processor.__wrapped__)
            return programs.cache_path(make(Leaky), torch.float64)

    return path


def test_programs_are_known_by_the_instructions_of_the_processor(path):
    known = path("processor\t: 0\nflags\t\t: sse avx2 fma\ncpu MHz\t: 2000\n")
    assert known == path("processor\t: 0\nflags\t\t: fma sse avx2\ncpu MHz\t: 3000\n")
    assert known != path("processor\t: 0\nflags\t\t: sse avx2\n")
    assert path("Features\t: fp asimd\n") != path("Features\t: fp asimd sve\n")


def test_where_no_file_lists_the_instructions_the_name_of_the_processor_counts(path, monkeypatch):
    monkeypatch.setattr("platform.processor", lambda: "arm")
    arm = path(None)
    assert arm == path("")
    monkeypatch.setattr("platform.processor", lambda: "i386")
    assert path(None) != arm


def test_another_number_of_threads_has_other_programs(path):
    before, threads = path("flags: avx2"), torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        assert path("flags: avx2") != before
    finally:
        torch.set_num_threads(threads)
    assert path("flags: avx2") == before


def test_programs_are_known_by_the_source_of_what_makes_them(monkeypatch):
    cell = make(Leaky)
    before = programs.cache_path(cell, torch.float64)
    monkeypatch.setattr(programs, "_compiler", programs._compiler.__wrapped__)
    assert programs.cache_path(cell, torch.float64) == before
    monkeypatch.setattr("inspect.getsource", lambda module: f"changed {module.__name__}")
    assert programs.cache_path(cell, torch.float64) != before
