"""Which backends run a stack whose steps are regularised, and what the user is told."""

from __future__ import annotations

import pytest

from rnnlab.api import InputError
from rnnlab.config.build import load
from rnnlab.plugins.registry import Registry
from rnnlab.training.assemble import ModelBuilder, place

ON_CPU = "training.device=cpu"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.discover()


@pytest.fixture
def build(registry):
    def make(preset, *overrides):
        experiment = load(preset, [ON_CPU, *overrides], registry)
        return ModelBuilder(experiment, registry, place(experiment))

    return make


def test_a_fused_backend_is_passed_over_while_zoneout_acts_and_the_reason_says_so(build):
    builder = build("digits-rows", "stack.zoneout=0.1")
    stack = builder.stack(8)
    assert list(builder.selections) == ["encoder"]
    assert builder.backend != "torch" and stack.regularised_backend is stack.backend
    assert "torch cannot run lstm with zoneout on cpu in float32" in builder.backend_reason


def test_evaluation_under_recurrent_dropout_is_fused_again(build):
    builder = build("digits-rows", "stack.recurrent_dropout=0.1")
    stack = builder.stack(8)
    assert list(builder.selections) == ["encoder", "encoder in evaluation"]
    training, evaluation = builder.selections.values()
    assert (stack.regularised_backend, stack.backend) == (training.backend, evaluation.backend)
    assert evaluation.name == "torch" and builder.backend == f"{training.name}+torch"
    reason = builder.backend_reason
    assert reason.startswith(f"encoder {training.reason}; encoder in evaluation torch: ")
    assert "torch cannot run lstm with recurrent dropout on cpu" in training.reason


@pytest.mark.parametrize(
    "options",
    [
        ["stack.residual=true", "stack.num_layers=2"],
        ["stack.learned_initial_state=true"],
        ["stack.truncate=3"],
        ["cell.forget_bias=null", "stack.recurrent_init=forget_bias"],
    ],
)
def test_other_options_leave_the_choice_as_it_was(build, options):
    builder, plain = build("digits-rows", *options), build("digits-rows")
    builder.stack(8), plain.stack(8)
    assert builder.backend == plain.backend == "torch"
    assert builder.backend_reason == plain.backend_reason


def test_a_backend_that_was_asked_for_and_cannot_is_an_error_with_the_remedy(build):
    with pytest.raises(InputError) as error:
        build("digits-rows", "stack.recurrent_dropout=0.1", "stack.zoneout=0.1", "backend=torch").stack(8)
    assert str(error.value).startswith(
        "backend 'torch' cannot run lstm with recurrent dropout and zoneout on cpu in float32: "
    )
    assert "use backend=auto or " in str(error.value) and "backend=reference" in str(error.value)


def test_a_decoder_reads_forwards_and_starts_where_its_encoder_ends(build):
    builder = build("inflection", "stack.learned_initial_state=true", "stack.zoneout=0.1")
    encoder, decoder = builder.stack(5), builder.stack(6, role="decoder")
    assert {"initial_h", "initial_c"} <= set(encoder.state_dict())
    assert not any(name.startswith("initial") for name in decoder.state_dict())
    assert (encoder.num_directions, decoder.num_directions) == (2, 1)
    assert list(builder.selections) == ["encoder", "decoder"]


def test_states_are_named_for_each_cell(build):
    builder = build("inflection", "decoder=rnn", "task.bridge=linear", "stack.zoneout={h: 0.1, c: 0.1}")
    builder.stack(5)
    with pytest.raises(InputError, match="names of the states of RNN, got 'c'"):
        builder.stack(6, role="decoder")
