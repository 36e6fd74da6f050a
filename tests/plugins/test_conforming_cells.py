"""The built-in cells keep their contract."""

from __future__ import annotations

from rnnlab.plugins.discovery import OWN_DISTRIBUTION
from rnnlab.plugins.registry import Registry
from rnnlab.testing import conformance

test_rnn = conformance("cell", "rnn")
test_lstm = conformance("cell", "lstm")
test_gru = conformance("cell", "gru")
test_mgu = conformance("cell", "mgu")
test_peephole_lstm = conformance("cell", "peephole_lstm")
test_layernorm_lstm = conformance("cell", "layernorm_lstm")
test_slstm = conformance("cell", "slstm")


def test_all_of_them_are_here():
    registry = Registry.discover(enabled=False)
    cells = {spec.name for spec in registry.specs("cell") if registry.provider(spec)[0] == OWN_DISTRIBUTION}
    assert cells == {name.removeprefix("test_") for name, test in globals().items() if conforms(test)}


def conforms(test):
    return getattr(test, "__name__", "") == "test_conformance"
