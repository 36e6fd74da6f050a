"""Registers the cell antisymmetric."""

from __future__ import annotations

from collections.abc import Iterator

from rnnlab.api import CellSpec, hookimpl


@hookimpl
def rnnlab_cells() -> Iterator[CellSpec]:
    yield CellSpec(
        name="antisymmetric",
        target="rnnlab_antisymmetric.cell:AntisymmetricRNN",
        config="rnnlab_antisymmetric.config:AntisymmetricConfig",
        summary="Antisymmetric weights: the state turns, and does not fade or grow (Chang et al. 2019)",
    )
