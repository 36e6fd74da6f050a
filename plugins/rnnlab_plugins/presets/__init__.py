"""Packaged experiments, one YAML file each; `rnnlab run --list` shows them."""

from __future__ import annotations

from collections.abc import Iterator

from rnnlab.api import PresetSpec, hookimpl

NAMES = (
    "digits",
    "digits-rows",
    "stress",
    "g2p",
    "inflection",
    "pinyin",
    "trec",
    "vowels",
    "ewt",
    "snips",
    "translate",
)


@hookimpl
def rnnlab_presets() -> Iterator[PresetSpec]:
    """One preset per file in this folder."""
    for name in NAMES:
        yield PresetSpec(name, f"rnnlab_plugins.presets:{name}.yaml")
