"""Presets: listed with what they say of themselves, a torn one with its problem."""

from __future__ import annotations

import pytest

from rnnlab.config.presets import all_presets, read_preset
from rnnlab.errors import InputError


def test_all_presets_are_listed(registry):
    digits, translate, torn = all_presets(registry)
    assert digits.summary == "read a digit" and digits.about["expected"] == "accuracy 0.9"
    assert translate.summary == "from a to b" and translate.about == {} and not translate.problem
    assert torn.problem.startswith("preset 'torn':2: not valid YAML")


def test_a_preset_is_read_whole(registry):
    assert read_preset("digits", registry)["cell"] == {"type": "gated", "forget_bias": 2.0}
    with pytest.raises(InputError, match=r"^preset 'torn':2: not valid YAML"):
        read_preset("torn", registry)
