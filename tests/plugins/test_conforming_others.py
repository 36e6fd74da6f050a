"""The built-in tasks, the executor and the presets that need no files keep their contract."""

from __future__ import annotations

import pytest

from rnnlab.testing import conformance

test_sequence_classification = conformance("task", "sequence_classification")
test_sequence_labelling = conformance("task", "sequence_labelling")
test_sequence_to_sequence = conformance("task", "sequence_to_sequence")
test_local = pytest.mark.slow(conformance("executor", "local"))
test_digits = conformance("preset", "digits")
test_inflection = conformance("preset", "inflection")
