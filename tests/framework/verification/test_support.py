from __future__ import annotations

import pytest

from rnnlab.plugins.registry import Registry
from rnnlab.verification.support import Support, support

BACKENDS = """
from rnnlab.api import Backend, BackendSpec, hookimpl

class Picky(Backend):
    def supports(self, cell, device, dtype):
        return None if cell.equations == "lstm" else f"no {cell.equations} on {device.type} in {dtype}"

    def advice(self, cell, device, dtype):
        return f"slow with H={cell.hidden_size}"

    def run(self, *arguments):
        raise AssertionError("asking must not run it")

class Raising(Picky):
    def supports(self, cell, device, dtype):
        raise RuntimeError("no driver")

@hookimpl
def rnnlab_backends():
    yield BackendSpec("picky", f"{__name__}:Picky")
    yield BackendSpec("raising", f"{__name__}:Raising")
"""
CELLS = ("rnn", "lstm", "gru", "mgu", "peephole_lstm", "layernorm_lstm", "slstm")


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backends")
    (folder / "backends.py").write_text(BACKENDS)
    return Registry.discover([folder])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("reference", Support(CELLS, (), ())),
        (
            "picky",
            Support(
                ("lstm",),
                tuple(f"no {what} on cpu in torch.float32" for what in ("rnn", "gru", "")),
                ("slow with H=128",),
            ),
        ),
        ("raising", Support((), ("RuntimeError: no driver",), ())),
    ],
)
def test_what_a_backend_says_of_the_cells(registry, name, expected):
    assert support(registry.get("backend", name), registry, "cpu") == expected
