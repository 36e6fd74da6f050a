"""Plugins with one fault each, named by the check that must catch it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import torch

from rnnlab.plugins.registry import Registry

FAULTS = Path(__file__).parent / "faults"


@cache
def faulty(kind: str) -> Registry:
    return Registry.discover([FAULTS / kind])


@pytest.fixture(scope="session")
def faults():
    """The folder of faults; each is `faults/KIND/CHECK.py`."""
    return FAULTS


@pytest.fixture(scope="session")
def registry_of():
    """All plugins, with the faulty ones of a kind."""
    return faulty


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
