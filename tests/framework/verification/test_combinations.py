from __future__ import annotations

from pathlib import Path

import pytest
import torch

from rnnlab.errors import InputError
from rnnlab.plugins.registry import Registry
from rnnlab.verification.combinations import Filters, combinations, variants
from rnnlab.verification.verify import verify

CELLS = """
from enum import Enum
from typing import Literal

from rnnlab.api import Cell, CellConfig, CellSpec, Step, hookimpl

class Kind(Enum):
    PLAIN = "plain"
    ODD = "odd"

class ChoosyConfig(CellConfig):
    kind: Kind = Kind.PLAIN
    order: Literal[1, 2] | None = None
    leak: float = 0.5
    name: str = "a"

class NeedyConfig(CellConfig):
    size: int

class Choosy(Cell):
    def step(self, projected, state):
        return Step((projected.tanh(),))

class Unwritten(Cell):
    pass

@hookimpl
def rnnlab_cells():
    yield CellSpec("choosy", f"{__name__}:Choosy", f"{__name__}:ChoosyConfig")
    yield CellSpec("needy", f"{__name__}:Choosy", f"{__name__}:NeedyConfig")
    yield CellSpec("unwritten", f"{__name__}:Unwritten")
    yield CellSpec("gone", f"{__name__}:Gone", f"{__name__}:GoneConfig")
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder: Path = tmp_path_factory.mktemp("cells")
    (folder / "cells.py").write_text(CELLS)
    return Registry.discover([folder])


def test_every_other_value_of_each_choice_once(registry):
    labels = [each.label for each in variants(registry, registry.get("cell", "choosy"))]
    assert labels == ["choosy", "choosy bias=false", "choosy kind=odd", "choosy order=1", "choosy order=2"]
    labels = [each.label for each in variants(registry, registry.get("cell", "rnn"))]
    assert labels == ["rnn", "rnn bias=false", "rnn nonlinearity=sigmoid", "rnn nonlinearity=relu"]


def test_cells_are_the_same_each_time_and_have_no_round_parameter(registry):
    variant = next(variants(registry, registry.get("cell", "lstm")))
    torch.manual_seed(3)
    one, drawn = variant.make(registry, 3, 4), torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.rand(1)), "the caller's random numbers are left alone"
    other = variant.make(registry, 3, 4)
    for parameter, same in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(parameter, same)
        assert parameter.dtype == torch.float64
        assert parameter.frac().ne(0).all()


@pytest.mark.parametrize(
    ("cell", "result", "where"),
    [
        ("needy", "not supported", "the cell's options refuse it: size: Field required"),
        ("unwritten", "wrong", "one step, H=16: NotImplementedError: Unwritten.step is not written yet"),
        ("gone", "wrong", "cannot be made: cell 'gone' of "),
    ],
)
def test_a_cell_that_cannot_be_run_is_a_verdict(registry, cell, result, where):
    chosen = combinations(registry, Filters((cell,), ("reference",), ("float32",), ("cpu",)))
    verdict = verify(chosen[0], registry)
    assert verdict.result == result
    assert verdict.where.startswith(where)


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (Filters(cells=("lstn",)), "did you mean 'lstm'?"),
        (Filters(backends=("torsh",)), "did you mean 'torch'?"),
        (Filters(precisions=("float23",)), "unknown dtype 'float23'; did you mean 'float32'?"),
        (Filters(devices=("gpu",)), "unknown device 'gpu'; did you mean 'cpu'?"),
        (Filters(precisions=("tf32",), devices=("cpu",)), "tf32 is a way of computing on GPUs"),
    ],
)
def test_names_that_are_not_there(registry, filters, message):
    with pytest.raises(InputError) as error:
        combinations(registry, filters)
    assert message in str(error.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU")
def test_a_gpu_that_is_not_there(registry):
    with pytest.raises(InputError, match="expected a GPU for device 'cuda', found none; use cpu"):
        combinations(registry, Filters(devices=("cuda",)))


def test_nothing_installed():
    with pytest.raises(InputError, match="no cell is installed"):
        combinations(Registry(), Filters())
