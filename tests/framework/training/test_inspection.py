"""Pictures of the gates: the stack's own values, of bounded size, and without a trace in the training."""

import math
import time
from itertools import pairwise

import pytest
import torch
from safetensors.torch import load_file

from rnnlab.config.build import load
from rnnlab.lab.events import Gates, Message, Metrics, RunEnded, to_line
from rnnlab.lab.journal import read
from rnnlab.lab.lab import Lab
from rnnlab.plugins.registry import Registry
from rnnlab.recurrent.stack import Stack
from rnnlab.training.checkpoint import load_training, random_state
from rnnlab.training.control import StopRequest
from rnnlab.training.inspection import due, even_choice, shown_size
from rnnlab.training.report import Report
from rnnlab.training.session import Session

G2P = ("g2p", "dataset.limit=64", "stack.hidden_size=8", "stack.num_layers=2", "stack.dropout=0.3")
ENCODER_DECODER = (*G2P, "task.teacher_forcing_ratio=0.5", "training.batch_size=16")
LABELLING = (
    "stress",
    "dataset.limit=64",
    "stack.hidden_size=8",
    "stack.bidirectional=true",
    "task.dropout=0.3",
)
DIGITS = ("digits-rows", "dataset.limit=64", "stack.hidden_size=8", "training.batch_size=16")


@pytest.fixture(scope="module")
def registry():
    return Registry.discover()


@pytest.fixture
def train(tmp_path, registry):
    """Train in this process; `change` gets the session first. Returns the run and its last event."""
    lab = Lab(tmp_path / "runs")

    def go(preset, *overrides, change=None):
        overrides += ("training.eval_every=2", "training.max_steps=8", "training.log_every=1")
        experiment = load(preset, (*overrides, "tracking.enabled=false"), registry)
        run = lab.create_run("x")
        run.config_path.write_text(experiment.dump_yaml())
        with Report(run, registry) as report:
            session = Session(run, experiment, registry, report, StopRequest())
            splits = (
                session._trainer.data.splits
            )  # the limit is for training alone; 64 are enough to evaluate
            splits |= {"val": splits["train"], "test": splits["train"]}
            if change is not None:
                change(session)
            return run, session.train()

    return go


@pytest.fixture
def built(registry, tmp_path):
    """A session's task, its validation split and its inspection, before any training."""

    def go(preset, *overrides):
        experiment = load(preset, overrides, registry)
        run = Lab(tmp_path / "runs").create_run("x")
        run.config_path.write_text(experiment.dump_yaml())
        with Report(run, registry) as report:
            trainer = Session(run, experiment, registry, report, StopRequest())._trainer
        return trainer.task, trainer.data.splits["val"], trainer._inspection

    return go


def blind(session):
    session._trainer._inspection = None


def pictures(run):
    return [event for event in read(run.events_path) if isinstance(event, Gates)]


@pytest.mark.parametrize("plan", [ENCODER_DECODER, LABELLING, DIGITS], ids=lambda plan: plan[0])
def test_training_is_the_same_to_the_bit_with_and_without(train, plan):
    (seen, _), (unseen, _) = train(*plan), train(*plan, change=blind)
    assert len(pictures(seen)) == 4
    assert pictures(unseen) == []

    def numbers(run):
        metrics = (event for event in read(run.events_path) if isinstance(event, Metrics))
        return [
            (event.step, key, value)
            for event in metrics
            for key, value in event.values.items()
            if key != "train/tokens_per_second" and not key.startswith("system/")
        ]

    assert numbers(seen) == numbers(unseen)
    weights = [load_file(run.checkpoints / "last" / "model.safetensors") for run in (seen, unseen)]
    torch.testing.assert_close(weights[0], weights[1], rtol=0, atol=0)
    states = []
    for run in (seen, unseen):
        load_training(run.checkpoints / "last")  # restores the random states it was saved with
        states.append(random_state())
    assert torch.equal(states[0].pop("torch"), states[1].pop("torch"))
    assert str(states[0]) == str(states[1])


@pytest.mark.parametrize("plan", [ENCODER_DECODER, LABELLING, DIGITS], ids=lambda plan: plan[0])
def test_values_are_those_of_the_stack_for_the_first_example(built, plan):
    task, split, inspection = built(*plan)
    task.train()
    random = torch.get_rng_state()
    layers = inspection.look(task)
    assert torch.equal(torch.get_rng_state(), random)
    assert task.training
    assert all(module.training for module in task.modules())
    stack = next(module for module in task.modules() if isinstance(module, Stack))
    batch = split.batch(torch.tensor([0]))
    task.eval()
    with torch.no_grad():
        embedding = task.source_embedding if plan is ENCODER_DECODER else task.embedding
        expected = stack.trace(embedding(batch.source, batch.lengths), batch.lengths)
    assert [(part["layer"], part["direction"]) for part in layers] == [
        (layer, direction) for layer in range(stack.num_layers) for direction in range(stack.num_directions)
    ]
    for part, values in zip(layers, expected, strict=True):
        assert part["units"] == list(range(8))
        assert list(part["gates"]) == ["i", "f", "g", "o", "h", "c"]
        for name, value in values.items():
            got = torch.tensor(part["gates"][name], dtype=torch.float64)
            assert got.shape == (int(batch.lengths[0]), 8)
            torch.testing.assert_close(got, value[:, 0].double(), rtol=0, atol=5.0001e-4)
    assert inspection.source == split.texts(0)[0]


def test_a_journal_holds_the_picture_between_samples_and_checkpoint(train):
    run, _ = train(*ENCODER_DECODER)
    names = [event.name for event in read(run.events_path)]
    for place in (k for k, name in enumerate(names) if name == "gates"):
        assert names[place - 1 : place + 2] == ["samples", "gates", "checkpoint"]
    assert [event.step for event in pictures(run)] == [2, 4, 6, 8]
    assert {event.split for event in pictures(run)} == {"val"}
    assert len({event.source for event in pictures(run)}) == 1
    assert pictures(run)[0].layers != pictures(run)[-1].layers


@pytest.mark.parametrize(
    "overrides",
    [("stack.hidden_size=300",), ("stack.hidden_size=100", "stack.num_layers=4", "stack.bidirectional=true")],
)
def test_large_networks_are_shown_in_part(built, overrides):
    task, _, inspection = built("digits", *overrides, "dataset.limit=64")
    layers = inspection.look(task)
    assert len(to_line(Gates(split="val", source=inspection.source, layers=layers))) < 200_000
    (units,) = {tuple(part["units"]) for part in layers}
    assert 16 <= len(units) <= 64
    gaps = [b - a for a, b in pairwise(units)]
    assert max(gaps) - min(gaps) <= 1
    whole = task.trace(inspection._batch)
    for part, values in zip(layers, whole, strict=True):
        for name, value in values.items():
            rows = torch.tensor(part["gates"][name])
            torch.testing.assert_close(rows, value[: len(rows), 0, list(units)], rtol=0, atol=5.001e-4)


def test_sizes_stay_within_their_bounds():
    for steps in (1, 7, 128, 5000):
        for width in (1, 10, 64, 1000):
            for count in (1, 6, 48):
                trace = [{str(k): torch.empty(steps, 1, width, device="meta") for k in range(count)}]
                shown, units = shown_size(trace)
                assert 1 <= shown <= min(steps, 128)
                assert min(width, 16) <= units <= min(width, 64)
                assert shown * units * count <= 24_000
    assert even_choice(3, 64) == [0, 1, 2]
    assert even_choice(10, 4) == [0, 2, 5, 7]
    assert shown_size([]) == (0, 0)


def test_long_runs_have_fewer_pictures():
    assert all(due(number) for number in range(1, 129))
    assert [number for number in range(129, 140) if due(number)] == [130, 132, 134, 136, 138]
    assert sum(due(number) for number in range(1, 100_001)) < 800
    gaps = [number for number in range(1, 100_001) if due(number)]
    assert all((b - a) / b <= 1 / 50 for a, b in pairwise(gaps) if b > 128)


@pytest.mark.parametrize("error", [NotImplementedError(), ZeroDivisionError("of mine")])
def test_a_task_that_cannot_be_traced_trains_on(train, error):
    def break_trace(session):
        def trace(batch):
            raise error

        session._trainer.task.trace = trace

    run, ended = train(*DIGITS, change=break_trace)
    assert isinstance(ended, RunEnded)
    assert ended.state == "finished"
    assert pictures(run) == []
    said = [event.text for event in read(run.events_path) if isinstance(event, Message)]
    told = "the task's trace raised ZeroDivisionError: of mine; the run goes on without pictures of its gates"
    assert said == ([] if isinstance(error, NotImplementedError) else [told])


def test_numbers_that_are_none_reach_the_journal(built):
    task, _, inspection = built(*DIGITS)
    with torch.no_grad():
        next(iter(task.stack.parameters())).fill_(math.nan)
    line = to_line(Gates(split="val", layers=inspection.look(task)))
    assert b'"nan"' in line


def test_a_picture_costs_little(built):
    """Less than a tenth of a second for 64 steps of two layers; most of it is the plain loop."""
    task, _, inspection = built("digits", "stack.num_layers=2", "dataset.limit=64")
    inspection.look(task)
    seconds = []
    for _ in range(5):
        began = time.process_time()
        to_line(Gates(split="val", layers=inspection.look(task)))
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.1
