"""The compiled backend, on one small cell: a compilation takes the better part of a minute."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rnnlab.api import Cell, InputError, Step, loop
from rnnlab.config.section import CellConfig
from rnnlab_plugins.backends import chunks, compiled, programs
from rnnlab_plugins.backends.compiled import CompiledBackend
from rnnlab_plugins.backends.reference import ReferenceBackend

CPU = torch.device("cpu")
CHANGES = "its step does not do the same each time, or not in training and in evaluation"


class Trace(Cell):
    """Two states of unlike width, a product of states, a parameter and a buffer of its own."""

    gates = ("z",)
    state = ("h", "m")

    def make_parameters(self) -> None:
        self.decay = nn.Parameter(torch.empty(2))
        self.register_buffer("scale", torch.tensor(0.7))

    def state_sizes(self) -> tuple[int, ...]:
        return (self.hidden_size, 2)

    def step(self, projected, state):
        h, m = state
        z = torch.sigmoid(projected + F.linear(h, self.weight_hh, self.bias_hh))
        m = torch.tanh(self.decay) * m + self.scale * h[:, :2]
        return Step((z * torch.tanh(h + m.sum(-1, keepdim=True)) + (1 - z) * h, m), (z,))


class Drawing(Trace):
    def step(self, projected, state):
        return Trace.step(self, projected + torch.rand_like(projected), state)


class Deciding(Trace):
    def step(self, projected, state):
        return Trace.step(self, projected if state[0].sum() > 0 else -projected, state)


class Mixing(Trace):
    def step(self, projected, state):
        return Trace.step(self, projected - projected.mean(0), state)


class Counting(Trace):
    count = 0

    def step(self, projected, state):
        self.count += 1
        return Trace.step(self, projected * 2 if self.count % 2 else projected, state)


class Scaling(Trace):
    def step(self, projected, state):
        return Trace.step(self, projected * (0.9 if self.training else 0.5), state)


class Muted(Trace):
    """What training changes is nothing as long as `gain` is zero."""

    def make_parameters(self) -> None:
        Trace.make_parameters(self)
        self.register_buffer("gain", torch.tensor(0.0))

    def step(self, projected, state):
        return Trace.step(self, projected + self.gain * (0.9 if self.training else 0.5), state)


class Averaged(Trace):
    """Other weights in evaluation, in the same operations."""

    def make_parameters(self) -> None:
        Trace.make_parameters(self)
        self.register_buffer("average", torch.tensor(0.2))

    def step(self, projected, state):
        return Trace.step(self, projected * (self.scale if self.training else self.average), state)


class Choosing(Trace):
    """As many numbers as there are True in a buffer."""

    def make_parameters(self) -> None:
        Trace.make_parameters(self)
        self.register_buffer("keep", torch.tensor([True, False, True, False, True]))

    def step(self, projected, state):
        return Trace.step(self, projected + state[0][:, self.keep].sum(-1, keepdim=True), state)


class Routed(Trace):
    """Buffers of positions and of what is true."""

    def make_parameters(self) -> None:
        Trace.make_parameters(self)
        self.register_buffer("keep", torch.tensor([True, False, True, True, False]))
        self.register_buffer("turn", torch.tensor([3, 0, 0, 1, 4]))

    def step(self, projected, state):
        (h, m), gates = Trace.step(self, projected + state[0][:, self.turn], state)
        return Step((torch.where(self.keep, h, state[0]), m), gates)


class Writing(Trace):
    def step(self, projected, state):
        self.scale.mul_(0.5)
        return Trace.step(self, projected, state)


def make(kind: type[Cell] = Trace, input_size: int = 3) -> Cell:
    torch.manual_seed(0)
    return kind(input_size, 5, CellConfig()).double()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A user's cache in which the cell's programs are kept after their first use."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def backend(folder) -> CompiledBackend:
    backend, cell = CompiledBackend(), make()
    assert backend.supports(cell, CPU, torch.float64) is None
    assert backend.preparation(cell, CPU, torch.float64) == programs.EXPECTED_SECONDS
    assert backend.prepare(cell, CPU, torch.float64) > 0
    return backend


def results(backend, seq_len, batch_size, lengths=None, reverse=False, cell=None):
    """Outputs, final states and all gradients; NaN past each row's length."""
    cell = make() if cell is None else cell
    input_size = cell.input_size
    torch.manual_seed(1)
    x = torch.randn(seq_len, batch_size, input_size).double()
    state = tuple(torch.randn(batch_size, size).double().requires_grad_() for size in cell.state_sizes())
    if lengths is not None:
        lengths = torch.tensor(lengths)
        x[torch.arange(seq_len)[:, None] >= lengths] = float("nan")
    output, final = backend.run(cell, x.requires_grad_(), state, lengths, reverse)
    loss = sum((each * torch.randn(each.shape).double()).sum() for each in (output, *final))
    return output, *final, *torch.autograd.grad(loss, [x, *state, *cell.parameters()])


@pytest.mark.slow
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("seq_len", "batch_size", "lengths"),
    [(4, 3, None), (9, 4, (9, 2, 0, 5)), (1, 2, (1, 0)), (6, 1, (5,)), (3, 1, None), (8, 2, (0, 0))],
)
def test_results_and_gradients_are_those_of_the_loop(backend, seq_len, batch_size, lengths, reverse):
    run = (seq_len, batch_size, lengths, reverse)
    for got, expected in zip(results(backend, *run), results(ReferenceBackend(), *run), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.slow
def test_another_input_size_and_another_process_compile_nothing(backend, folder, monkeypatch):
    monkeypatch.setattr(programs, "_compile", None)
    fresh, wider = CompiledBackend(), make(input_size=7)
    assert fresh.preparation(wider, CPU, torch.float64) == 0.0
    assert fresh.prepare(wider, CPU, torch.float64) == 0.0
    run = (5, 3, (5, 1, 3), True, wider)
    for got, expected in zip(results(fresh, *run), results(ReferenceBackend(), *run), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.slow
def test_no_gradients_wanted(backend):
    cell, x = make(), torch.randn(5, 2, 3).double()
    state = tuple(torch.zeros(2, size).double() for size in cell.state_sizes())
    with torch.no_grad():
        output, _ = backend.run(cell, x, state)
    assert not output.requires_grad
    torch.testing.assert_close(output, ReferenceBackend().run(cell, x, state).output)


@pytest.mark.slow
def test_the_first_use_under_inference_mode_compiles_what_all_others_use(folder, monkeypatch):
    compilations = []

    def compile_and_count(cell, *arguments, compile_cell=programs._compile):
        compilations.append(type(cell))
        compile_cell(cell, *arguments)

    monkeypatch.setattr(programs, "_compile", compile_and_count)
    cell, x = make(Routed), torch.randn(5, 2, 3).double()
    state = tuple(torch.randn(2, size).double() for size in cell.state_sizes())
    with torch.inference_mode():
        output, final = CompiledBackend().run(cell, x, state)
    torch.testing.assert_close((output, final), tuple(loop(cell, x, state)))
    for parameter in cell.parameters():
        parameter.requires_grad_(False)
    assert CompiledBackend().prepare(cell, CPU, torch.float64) == 0.0
    assert compilations == [Routed]


@pytest.mark.slow
def test_buffers_that_are_no_numbers_are_read_anew(folder):
    cell = make(Routed)
    CompiledBackend().prepare(cell, CPU, torch.float64)
    cell.keep.logical_not_()
    cell.turn.copy_(torch.tensor([4, 4, 2, 1, 3]))
    run = (6, 3, (6, 1, 4), False, cell)
    for got, expected in zip(
        results(CompiledBackend(), *run), results(ReferenceBackend(), *run), strict=True
    ):
        torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.slow
def test_a_second_derivative_is_refused(backend):
    cell, x = make(), torch.randn(5, 2, 3).double().requires_grad_()
    state = tuple(torch.zeros(2, size).double() for size in cell.state_sizes())
    output, _ = backend.run(cell, x, state)
    with pytest.raises(RuntimeError, match=r"no second derivatives .*use backend=reference"):
        torch.autograd.grad(output.sum(), x, create_graph=True)


@pytest.mark.slow
def test_kept_programs_that_compute_something_else_are_compiled_anew(backend, folder, monkeypatch):
    """As when a function that the cell's file imports was changed."""
    changed = make(Trace)
    compiled_again = []

    def compile_again(cell, dtype, folder):
        compiled_again.append(cell)
        raise RuntimeError("far enough")

    monkeypatch.setattr(programs, "_compile", compile_again)
    wrong = iter(["its program is off by 1.0e+00 from the loop"])
    monkeypatch.setattr(compiled, "_wrong", lambda *arguments: next(wrong))
    monkeypatch.setattr(
        compiled,
        "discard",
        lambda cell, dtype: monkeypatch.setattr(
            programs, "cache_path", lambda *arguments: folder / "elsewhere" / "programs"
        ),
    )
    with pytest.raises(InputError, match=r"cannot compile Trace \(RuntimeError: far enough\)"):
        CompiledBackend().prepare(changed, CPU, torch.float64)
    assert [type(each) for each in compiled_again] == [Trace]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Drawing, "its step draws random numbers"),
        (Deciding, "its step decides by the values of tensors"),
        (Mixing, "its step mixes the rows of a batch"),
        *((kind, CHANGES) for kind in (Counting, Scaling, Muted, Averaged)),
        (Choosing, "its step decides by the values of tensors"),
        (Writing, "its step changes parameters or buffers"),
    ],
)
def test_steps_that_cannot_be_a_program(kind, reason):
    assert CompiledBackend().supports(make(kind), CPU, torch.float64) == reason


@pytest.mark.parametrize("made_under", [False, True])
def test_a_step_is_tried_under_inference_mode(made_under):
    with torch.inference_mode(made_under):
        cell, writing = make(Routed), make(Writing)
    with torch.inference_mode():
        assert CompiledBackend().supports(cell, CPU, torch.float64) is None
        assert CompiledBackend().supports(writing, CPU, torch.float64) is not None


def test_trying_a_step_leaves_the_cell_and_the_random_numbers_as_they_were():
    cell = make(Writing)
    before = torch.get_rng_state()
    CompiledBackend().supports(cell, CPU, torch.float64)
    assert float(cell.scale) == pytest.approx(0.7) and cell.training
    assert torch.equal(torch.get_rng_state(), before)


def test_where_it_does_not_run(monkeypatch):
    backend, cell = CompiledBackend(), make()
    assert backend.supports(cell, torch.device("cuda"), torch.float32) == (
        "it compiles for the processor, got cuda"
    )
    assert backend.supports(cell, CPU, torch.bfloat16) == "it takes float32 and float64, got bfloat16"
    monkeypatch.setenv("PATH", "")
    assert backend.supports(cell, CPU, torch.float64) == (
        "it needs a C++ compiler, found none of c++, g++, clang++; install g++"
    )


class Bare(Cell):
    """No parameters at all."""

    def __init__(self, input_size: int, hidden_size: int, config: CellConfig) -> None:
        nn.Module.__init__(self)
        self.input_size, self.hidden_size, self.config = input_size, hidden_size, config

    def project(self, x):
        return x.mean(-1, keepdim=True).expand(*x.shape[:-1], self.hidden_size)

    def step(self, projected, state):
        return Step((torch.tanh(projected + state[0]),))


@pytest.mark.parametrize(("kind", "files"), [(Trace, True), (Trace, False), (Bare, False)])
def test_programs_that_are_not_there_or_broken_are_compiled(tmp_path, monkeypatch, kind, files):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cell = make(kind)
    folder = programs.cache_path(cell, torch.float64)
    for name in programs.Programs._fields if files else ():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.pt2").write_bytes(b"half of a file")

    def compile_them(cell, dtype, folder):
        raise RuntimeError("far enough")

    monkeypatch.setattr(programs, "_compile", compile_them)
    with pytest.raises(InputError, match=r"RuntimeError: far enough"):
        CompiledBackend().prepare(cell, CPU, torch.float64)
    assert not folder.exists()


def test_a_batch_of_no_rows():
    cell, x = make(), torch.randn(5, 0, 3).double().requires_grad_()
    state = tuple(torch.zeros(0, size).double() for size in cell.state_sizes())
    output, final = chunks.run(None, [], cell, x, state, None, False)
    assert output.shape == (5, 0, 5) and [each.shape for each in final] == [(0, 5), (0, 2)]
    (gradient,) = torch.autograd.grad(output.sum(), x)
    assert gradient.shape == (5, 0, 3)


def test_a_note_of_the_last_compilation_that_is_no_number_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cell = make()
    note = programs.cache_path(cell, torch.float64).parent / "seconds"
    note.parent.mkdir(parents=True)
    for text, expected in (("12.5", 12.5), ("", programs.EXPECTED_SECONDS)):
        note.write_text(text)
        assert CompiledBackend().preparation(cell, CPU, torch.float64) == expected


def test_autocast_reaches_no_program(monkeypatch):
    backend, cell = CompiledBackend(), make().float()
    monkeypatch.setattr(backend, "_obtain", lambda cell, dtype: ((None, []), 0.0))
    monkeypatch.setattr(compiled, "run", lambda programs, read, *arguments: loop(*arguments))
    x, state = torch.randn(5, 2, 3).bfloat16(), tuple(torch.zeros(2, size) for size in cell.state_sizes())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output, _ = backend.run(cell, x, state)
    assert torch.equal(output, loop(cell, x.float(), state).output)
