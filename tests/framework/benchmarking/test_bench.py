"""Rows and ratios from a clock that is told what to say; speed is never asserted."""

from __future__ import annotations

import pytest
import torch

from rnnlab.benchmarking.bench import Row, Setting, Shape, bench
from rnnlab.benchmarking.timing import QUICK
from rnnlab.errors import InputError
from rnnlab.plugins.registry import Registry
from rnnlab.verification.combinations import variants
from rnnlab.verification.precision import PRECISIONS

BACKENDS = """
from rnnlab.api import Backend, BackendSpec, Sequence, hookimpl, loop

class Right(Backend):
    def supports(self, cell, device, dtype):
        return None

    def run(self, cell, x, state, lengths=None, reverse=False):
        return loop(cell, x, state, lengths, reverse)

class Wrong(Right):
    def run(self, cell, x, state, lengths=None, reverse=False):
        output, final = loop(cell, x, state, lengths, reverse)
        return Sequence(output, tuple(2 * s for s in final))

class Picky(Right):
    def supports(self, cell, device, dtype):
        return "not today"

class Raising(Right):
    def run(self, *arguments):
        raise RuntimeError("no kernel image")

@hookimpl
def rnnlab_backends():
    for rank, backend in enumerate((Right, Wrong, Picky, Raising), start=1):
        yield BackendSpec(backend.__name__.lower(), f"{__name__}:{backend.__name__}", rank=rank)
"""
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backends")
    (folder / "backends.py").write_text(BACKENDS)
    return Registry.discover([folder])


@pytest.fixture
def compare(registry):
    """Bench an LSTM on backends by name, with a clock that knows how many `seconds` each one takes."""

    def run(*names, precision="float32", lengths=False, seconds=None):
        variant = next(iter(variants(registry, registry.get("cell", "lstm"))))
        setting = Setting(variant, Shape(9, 4, 3, 7), PRECISIONS[precision], CPU, lengths)

        def clock(call, number):
            call()
            backend = call.args[0].__self__  # compute(run, ...)
            return (seconds or {}).get(type(backend).__name__, 1.0)

        return bench(setting, [registry.get("backend", name) for name in names], registry, QUICK, clock)

    return run


def test_ratios_to_the_reference_and_to_the_fastest(compare):
    rows = compare(
        "reference", "torch", "right", seconds={"ReferenceBackend": 0.4, "TorchBackend": 0.1, "Right": 0.2}
    )
    assert rows == [
        Row("reference", "forward", "ok", "", 400.0, 1.0, 0.25),
        Row("torch", "forward", "ok", "", 100.0, 4.0, 1.0),
        Row("right", "forward", "ok", "", 200.0, 2.0, 0.5),
        Row("reference", "forward+backward", "ok", "", 400.0, 1.0, 0.25),
        Row("torch", "forward+backward", "ok", "", 100.0, 4.0, 1.0),
        Row("right", "forward+backward", "ok", "", 200.0, 2.0, 0.5),
    ]


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_what_is_wrong_or_refused_is_not_timed(compare, precision, lengths):
    *timed, wrong, picky, raising = compare(
        "right", "wrong", "picky", "raising", precision=precision, lengths=lengths
    )
    assert [(row.backend, row.result) for row in timed] == [("right", "ok")] * 2
    assert (wrong.backend, wrong.result, wrong.milliseconds) == ("wrong", "wrong", None)
    assert wrong.reason.startswith("h_n is off by 1.0e+00 of its norm")
    assert picky == Row("picky", "", "not supported", "not today")
    assert raising == Row("raising", "", "wrong", "RuntimeError: no kernel image")


def test_without_the_reference_among_the_right_ones_there_is_no_ratio_to_it(compare):
    (row, *_) = compare("picky", "torch")
    assert (row.backend, row.speed_of_reference, row.speed_of_fastest) == ("torch", None, 1.0)


def test_lengths_are_spread_from_all_to_a_quarter(registry):
    variant = next(iter(variants(registry, registry.get("cell", "lstm"))))
    setting = Setting(variant, Shape(100, 4, 3, 7), PRECISIONS["float32"], CPU, lengths=True)
    lengths = setting.row_lengths()
    assert lengths is not None
    assert lengths.tolist() == [100, 75, 50, 25]


def test_shapes_as_users_write_them():
    assert Shape.parse("12,3,4,5") == Shape(seq_len=12, batch_size=3, input_size=4, hidden_size=5)
    assert str(Shape.parse("12,3,4,5")) == "12,3,4,5"


@pytest.mark.parametrize("text", ["12,3,4", "12,3,4,0", "a,b,c,d", "", "1,2,3,-4"])
def test_what_is_no_shape(text):
    with pytest.raises(InputError, match="expected T,B,I,H, four positive integers, got"):
        Shape.parse(text)
