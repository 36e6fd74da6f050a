"""A registry of the real plugins and a third party's, and the catalogue that describes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rnnlab.dashboard.catalogue import Catalogue, Installation
from rnnlab.dashboard.catalogue.__main__ import catalogue as describe
from rnnlab.plugins.registry import Registry

PLUGIN = '''
from typing import Literal
from pydantic import Field, field_validator
from rnnlab.api import Cell, CellConfig, CellSpec, Section, Step, hookimpl
import torch

class Leak(Section):
    rate: float = 0.5

class LeakyConfig(CellConfig):
    shape: Literal["tanh", "relu"] = "tanh"
    """What bends it."""
    leak: float = Field(0.5, gt=0, le=1)
    order: Literal[1, 2] | None = None
    clip: bool | None = None
    note: str = ""
    path: str | None = None
    taps: list[int] = [1, 2]
    names: tuple[str, ...] = ()
    inner: Leak = Leak()
    level: int | Literal["auto"] = "auto"

    @field_validator("leak")
    @classmethod
    def not_a_third(cls, leak):
        if leak == 0.33:
            raise ValueError("a third never works; use 0.3")
        return leak

class Leaky(Cell):
    """A leaky integrator."""

    def __init__(self, input_size, hidden_size, config):
        super().__init__(input_size, hidden_size, config)
        self.extra = torch.nn.Parameter(torch.zeros(hidden_size))

    def step(self, projected, state):
        return Step(state)

@hookimpl
def rnnlab_cells():
    yield CellSpec("leaky", f"{__name__}:Leaky", f"{__name__}:LeakyConfig", "a leaky integrator")
    yield CellSpec("needy", f"{__name__}:Leaky", requires=("no_such_module",))
'''


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one local plugin."""
    path = tmp_path_factory.mktemp("plugins")
    (path / "form_leaky.py").write_text(PLUGIN)
    return path


@pytest.fixture(scope="session")
def installation(folder: Path) -> Installation:
    return Installation.of([folder])


@pytest.fixture(scope="session")
def registry(folder: Path) -> Registry:
    return Registry.discover([folder])


@pytest.fixture(scope="session")
def catalogue(registry: Registry) -> Catalogue:
    return Catalogue.from_dict(json.loads(json.dumps(describe(registry, load=False))), fresh=True)
