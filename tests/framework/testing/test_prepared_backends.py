"""A backend that prepares cells is asked about few of them, and the report says what was left out."""

from __future__ import annotations

import pytest

from rnnlab.plugins.registry import Registry
from rnnlab.testing import ask, checks, subject
from rnnlab.verification.combinations import Filters, combinations
from rnnlab.verification.verify import PREPARED_SIZES, verify

BACKENDS = """
from rnnlab.api import Backend, BackendSpec, Sequence, hookimpl, loop

class Slow(Backend):
    prepared = set()
    kept = 1.0

    def supports(self, cell, device, dtype):
        return None if device.type == "cpu" else "it computes on the processor"

    def run(self, cell, x, state, lengths=None, reverse=False):
        own = type(cell).__name__, cell.hidden_size, str(x.dtype)
        self.prepared.add(own)
        output, final = loop(cell, x, state, lengths, reverse)
        return Sequence(output * self.kept, final)

class Wrong(Slow):
    prepared = set()
    kept = 0.9

@hookimpl
def rnnlab_backends():
    for made in (Slow, Wrong):
        yield BackendSpec(made.__name__.lower(), f"{__name__}:{made.__name__}", summary="?", prepares=True)
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory) -> Registry:
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "slow.py").write_text(BACKENDS)
    return Registry.discover([folder])


@pytest.fixture
def findings(registry):
    def found(name):
        of = subject(registry, "backend", name)
        of.target.prepared.clear()
        own = [each for each in checks("backend") if each.name in ("cells", "refuses", "pure")]
        return {each.name: ask(each, of) for each in own}, of.target.prepared

    return found


def test_one_cell_is_verified_and_the_report_names_the_command_for_the_others(findings, registry):
    found, prepared = findings("slow")
    first = registry.specs("cell")[0].name
    assert found["cells"].result == "skipped"
    assert found["cells"].line == (
        f"{first} on cpu in float32 is right; the other cells take a while each, as it prepares them first: "
        "'rnnlab verify --backend slow' verifies every one"
    )
    assert found["refuses"].result == found["pure"].result == "ok"
    assert {dtype for *_, dtype in prepared} == {"torch.float32"}
    assert len(prepared) == 3


def test_a_wrong_one_fails(findings):
    found, _ = findings("wrong")
    assert found["cells"].result == found["refuses"].result == "failed"


def test_verifying_takes_one_size_and_another_only_if_asked(registry):
    chosen = combinations(registry, Filters(("rnn",), ("slow",), ("float32",), ("cpu",)))
    prepared = registry.load(chosen[0].backend).prepared
    for given, expected in ((None, set(PREPARED_SIZES)), ((), set(PREPARED_SIZES)), ((3, 4), {3, 4})):
        prepared.clear()
        assert verify(chosen[0], registry, given).result == "ok"
        assert {size for _, size, _ in prepared} == expected
