"""What backends say about the installed cells before they run them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rnnlab.errors import in_words
from rnnlab.plugins.registry import Registry
from rnnlab.plugins.spec import BackendSpec
from rnnlab.recurrent.backend import Backend
from rnnlab.verification.combinations import Variant

INPUT_SIZE, HIDDEN_SIZE = 64, 128


@dataclass(frozen=True)
class Support:
    """A backend on one device in float32, asked about every cell with its default options.

    Attributes:
        cells: the names of those that it runs.
        refusals: why not the others, each reason once.
        advice: why `auto` would rather take another backend, each reason once.
    """

    cells: tuple[str, ...]
    refusals: tuple[str, ...]
    advice: tuple[str, ...]


def support(backend: BackendSpec, registry: Registry, device: str) -> Support:
    """Ask a backend about every cell on "cpu" or "cuda"; what a plugin raises is a refusal."""
    cells: list[str] = []
    refusals: list[str] = []
    advice: list[str] = []
    where, dtype = torch.device(device), torch.float32
    for spec in registry.specs("cell"):
        try:
            asked: Backend = registry.load(backend)()
            cell = Variant(spec).make(registry, INPUT_SIZE, HIDDEN_SIZE).to(device=where, dtype=dtype)
            if refusal := asked.supports(cell, where, dtype):
                refusals.append(refusal)
                continue
            cells.append(spec.name)
            if why := asked.advice(cell, where, dtype):
                advice.append(why)
        except Exception as error:
            refusals.append(in_words(error))
    return Support(tuple(cells), *(tuple(dict.fromkeys(reasons)) for reasons in (refusals, advice)))
