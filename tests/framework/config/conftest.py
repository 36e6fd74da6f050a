"""A registry of invented plugins, so that these tests depend on no installed one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from rnnlab.plugins.discovery import import_file
from rnnlab.plugins.provider import Provider
from rnnlab.plugins.registry import Registry

PLUGIN = """
from typing import Literal

from pydantic import Field, field_validator
from rnnlab.api import (
    BackendSpec, CellConfig, CellSpec, DatasetConfig, DatasetSpec, ExecutorSpec, PresetSpec, Section,
    TaskSpec, hookimpl,
)

class Elman(CellConfig):
    nonlinearity: Literal["tanh", "relu"] = "tanh"
    scale: float = Field(1.0, gt=0)
    sizes: list[int] = []
    depth: Literal[1, 2] | None = None
    label: str = ""

class Gated(CellConfig):
    forget_bias: float = 1.0

class Images(DatasetConfig):
    rows: bool = True

class Pairs(DatasetConfig):
    path: str

class Tagging(Section):
    smoothing: float = Field(0.0, ge=0, lt=1)

class Inner(Section):
    heads: int = Field(1, ge=1)

class Translation(Section):
    attention: Inner = Inner()
    beam: int | Literal["greedy"] = "greedy"

    @field_validator("beam")
    @classmethod
    def not_seven(cls, beam):
        if beam == 7:
            raise ValueError("seven beams bring bad luck; use 8")
        return beam

def at(name):
    return f"{__name__}:{name}"

@hookimpl
def rnnlab_cells():
    yield CellSpec("elman", at("X"), at("Elman"))
    yield CellSpec("gated", at("X"), at("Gated"))
    yield CellSpec("plain", at("X"))
    yield CellSpec("needy", at("X"), requires=("no_such_module",))

@hookimpl
def rnnlab_tasks():
    yield TaskSpec("naming", at("X"), mode="class", metrics={"accuracy": "max"}, primary="accuracy")
    yield TaskSpec("tagging", at("X"), at("Tagging"), mode="synchronous", metrics={"span_f1": "max"})
    yield TaskSpec(
        "translation", at("X"), at("Translation"), mode="asynchronous", metrics={"bleu": "max"}, decoder=True
    )

@hookimpl
def rnnlab_datasets():
    yield DatasetSpec("images", at("X"), at("Images"), modes=("class",))
    yield DatasetSpec("tags", at("X"), modes=("synchronous", "class"))
    yield DatasetSpec("pairs", at("X"), at("Pairs"), modes=("asynchronous",))

@hookimpl
def rnnlab_backends():
    yield BackendSpec("reference", at("X"))

@hookimpl
def rnnlab_executors():
    yield ExecutorSpec("here", at("X"))
    yield ExecutorSpec("there", at("X"))

@hookimpl
def rnnlab_presets():
    yield PresetSpec("digits", f"{__name__}:digits.yaml")
    yield PresetSpec("translate", f"{__name__}:translate.yaml", summary="from a to b")
    yield PresetSpec("torn", f"{__name__}:torn.yaml")
"""

PRESETS = {
    "digits.yaml": """
about: {summary: read a digit, mode: class, expected: accuracy 0.9}
task: naming
dataset: {type: images, rows: false}
cell: {type: gated, forget_bias: 2.0}
training: {learning_rate: 1e-2, epochs: 3}
""",
    "translate.yaml": "task: translation\ndataset: {type: pairs, path: a.txt}\ncell: elman\n",
    "torn.yaml": "task: [naming\n",
}


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Cells, tasks, data sets, backends, executors and presets of one invented plugin."""
    folder: Path = tmp_path_factory.mktemp("plugin")
    (folder / "invented.py").write_text(PLUGIN)
    for name, text in PRESETS.items():
        (folder / name).write_text(text)
    module: ModuleType = import_file("rnnlab_invented", folder / "invented.py")
    registry = Registry()
    registry.register(module, Provider("invented:all", "invented", "1.0"))
    assert [problem.stage for problem in registry.problems] == ["requires"]
    yield registry
    del sys.modules["rnnlab_invented"]
