"""Faults are called by their names, and the built-in backends have none."""

from __future__ import annotations

import pytest
import torch

from rnnlab.plugins.registry import Registry
from rnnlab.verification.combinations import Filters, combinations
from rnnlab.verification.precision import PRECISIONS, Precision
from rnnlab.verification.verify import verify

FAULTS = {
    "gates_swapped": ("one step, H=16", "its gates are mixed up (output [0, "),
    "no_recurrence": ("recurrence, H=16", "the state that the step before it left (output ["),
    "last_step_dropped": ("last step, H=16", "not that of the last step (output [6, "),
    "state_forgotten": ("initial state, H=16", "not what the first step reads"),
    "mask_ignored": ("lengths, H=16", "past a row's length are not masked"),
    "never_reversed": ("reverse, H=16", "not read from its last step to its first"),
    "padding_read_first": ("reverse with lengths, H=16", "not read from its last valid step"),
    "overflowing": ("large inputs, H=16", "inputs of up to 100 give NaN"),
    "gradient_wrong": ("gradients, H=16", "(gradient of weight_hh ["),
    "wandering": ("repeatable, H=16", "two runs over the same numbers differ"),
    "raising": ("one step, H=16", "RuntimeError: no kernel image"),
}


@pytest.fixture(scope="module")
def registry(wrong_backends):
    return Registry.discover([wrong_backends])


def verdicts(registry, *names, precisions=("float32",), **filters):
    chosen = Filters(backends=names, precisions=precisions, devices=("cpu",), **filters)
    return [verify(each, registry) for each in combinations(registry, chosen)]


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_caught_by_the_check_named_for_it(registry, name):
    verdict, *_ = verdicts(registry, name, cells=("lstm",))
    assert verdict.result == "wrong"
    check, meaning = FAULTS[name]
    assert verdict.where.startswith(f"{check}: ")
    assert meaning in verdict.where


@pytest.mark.parametrize(
    ("name", "check"), [("reset_before_product", "one step"), ("update_turned_round", "one step")]
)
def test_a_fault_in_a_gru_is_caught(registry, name, check):
    verdict, *_ = verdicts(registry, name, cells=("gru",))
    assert verdict.result == "wrong"
    assert verdict.where.startswith(f"{check}, H=16: a step's equations are not the cell's")


def test_a_sound_backend_for_grus(registry):
    assert [each.result for each in verdicts(registry, "right_for_gru", cells=("gru",))] == ["ok", "ok"]


def test_the_sound_backend_beside_them_is_right_and_has_a_reason_for_other_cells(registry):
    known = verdicts(registry, "right", cells=("lstm", "rnn"))
    found = {each.combination.variant.label: each for each in known}
    assert {label: each.result for label, each in found.items()} == {
        "lstm": "ok",
        "lstm bias=false": "ok",
        "rnn": "not supported",
        "rnn bias=false": "not supported",
        "rnn nonlinearity=relu": "not supported",
        "rnn nonlinearity=sigmoid": "not supported",
    }
    assert found["rnn"].where == "a test of LSTMs"


def test_the_built_in_backends_are_right_wherever_they_run(registry):
    found = verdicts(registry, "reference", "torch", precisions=("float64", "float32", "bfloat16"))
    assert {each.result for each in found} == {"ok", "not supported"}
    refused = [each for each in found if each.result == "not supported"]
    assert {each.combination.backend.name for each in refused} == {"torch"}
    names = {each.combination.variant.label for each in refused}
    assert {label for label in names if label.split()[0] in ("rnn", "lstm", "gru")} == {
        "rnn nonlinearity=sigmoid"
    }
    assert {label.split()[0] for label in names} == {"rnn", "mgu", "peephole_lstm", "layernorm_lstm", "slstm"}
    assert len(found) == 18 * 2 * 3


def test_a_cell_that_enlarges_roundings_is_allowed_what_the_loop_itself_is_off(registry):
    found = verdicts(registry, "reference", precisions=("bfloat16",), cells=("layernorm_lstm",))
    assert {each.result for each in found} == {"ok"}


def test_the_worst_error_is_measured_at_its_place(registry):
    verdict, *_ = verdicts(registry, "last_step_dropped", cells=("lstm",))
    assert verdict.worst is not None
    t, b, h = verdict.worst.index
    assert (t, verdict.worst.got) == (6, 0.0)
    assert 0 <= b < 3 and 0 <= h < 16
    assert verdict.worst.expected != 0.0
    assert (
        0.1 < verdict.worst.error <= 1.0
    )  # all of the entry is missing, and none is larger than the largest


@pytest.mark.parametrize("precision", PRECISIONS.values(), ids=PRECISIONS)
def test_tolerances_are_some_roundings_and_never_loose(precision):
    assert 3 * precision.rounding < precision.tolerance <= precision.gradient_tolerance <= 0.06


def test_tf32_is_switched_on_and_put_back():
    def flags():
        return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32

    before = flags()
    with PRECISIONS["tf32"].applied():
        assert flags() == (True, True)
        with Precision("float32", torch.float32, 1e-5, 1e-5).applied():
            assert flags() == (False, False)
        assert flags() == (True, True)
        # What reads the newer setting, as the Triton backend does, sees the same.
        assert torch.backends.cuda.matmul.fp32_precision == "tf32"
    assert flags() == before
