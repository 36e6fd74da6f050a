"""Registers the data set nino, and a preset that trains on it."""

from __future__ import annotations

from collections.abc import Iterator

from rnnlab.api import DatasetSpec, PresetSpec, hookimpl


@hookimpl
def rnnlab_datasets() -> Iterator[DatasetSpec]:
    yield DatasetSpec(
        name="nino",
        target="rnnlab_nino.dataset:Nino",
        config="rnnlab_nino.config:NinoConfig",
        summary="Sea temperatures month by month: will it be warmer than now?",
        modes=("class",),
    )


@hookimpl
def rnnlab_presets() -> Iterator[PresetSpec]:
    yield PresetSpec("nino", "rnnlab_nino:nino.yaml")
