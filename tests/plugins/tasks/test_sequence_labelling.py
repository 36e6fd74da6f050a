import pytest
import torch

from rnnlab.api import IGNORE, Schema
from rnnlab_plugins.tasks.config import SequenceLabellingConfig
from rnnlab_plugins.tasks.sequence_labelling import SequenceLabelling

SOURCES = [[3, 5, 1, 2], [7], [4, 4, 8]]
TARGETS = [[0, 3, IGNORE, 1], [2], [IGNORE, 1, 1]]


@pytest.fixture
def build(make_task, make_schema):
    def make(options=None, schema: Schema | None = None, **stack) -> SequenceLabelling:
        config = SequenceLabellingConfig(**{"embedding_size": 5} | (options or {}))
        return make_task(SequenceLabelling, config, schema or make_schema("synchronous"), **stack)

    return make


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_batch_is_its_rows_one_by_one(build, collate, bidirectional):
    task = build(num_layers=2, bidirectional=bidirectional)
    together = task(collate(SOURCES))
    for b, row in enumerate(SOURCES):
        torch.testing.assert_close(
            task(collate([row]))[:, 0], together[: len(row), b], rtol=1e-10, atol=1e-12
        )


def test_loss_is_the_mean_over_labelled_steps(build, collate):
    task = build(bidirectional=True)
    terms = []
    for source, target in zip(SOURCES, TARGETS, strict=True):
        for logits, label in zip(task(collate([source]))[:, 0], target, strict=True):
            if label != IGNORE:
                terms.append(logits.exp().sum().log() - logits[label])
    batch = collate(SOURCES, TARGETS)
    value, items = task.loss(batch)
    assert items == len(terms) == 6
    torch.testing.assert_close(value, sum(terms) / 6)
    evaluation = task.eval().evaluate(batch)
    assert (evaluation.loss, evaluation.items) == (pytest.approx(value.item()), 6)
    assert evaluation.predictions == task.predict(batch)


def test_answers_are_one_label_a_step(build, collate):
    task = build()
    answers = task.predict(collate(SOURCES))
    assert [len(answer) for answer in answers] == [4, 1, 3]
    assert answers == [task.predict(collate([row]))[0] for row in SOURCES]


@pytest.mark.parametrize("features", [0, 3])
@pytest.mark.parametrize("project", [False, True])
def test_padding_changes_nothing(build, make_schema, collate, pad_more, gradients, features, project):
    sources = [torch.randn(len(row), features) for row in SOURCES] if features else SOURCES
    schema = make_schema("synchronous", features=features)
    task = build({"embedding_size": 5 if project else None}, schema, num_layers=2, bidirectional=True)
    batch = collate(sources, TARGETS)
    padded = pad_more(batch)
    torch.testing.assert_close(task.loss(padded).value, task.loss(batch).value)
    assert task.predict(padded) == task.predict(batch)
    torch.testing.assert_close(gradients(task, padded), gradients(task, batch))


def test_a_batch_without_labels_has_loss_zero(build, collate, gradients):
    task = build()
    batch = collate([[1, 2], [3]], [[IGNORE, IGNORE], [IGNORE]])
    value, items = task.loss(batch)
    assert (value.item(), items) == (0.0, 0)
    assert all(gradient.eq(0).all() for gradient in gradients(task, batch).values())


def test_empty_rows_are_legal(build, collate, gradients):
    task = build(bidirectional=True)
    batch = collate([[], [3, 5]], [[], [1, 0]])
    assert [len(answer) for answer in task.predict(batch)] == [0, 2]
    assert all(gradient.isfinite().all() for gradient in gradients(task, batch).values())


def test_score_by_hand(build):
    references = [[0, 1, IGNORE, 1], [2, 2], [IGNORE]]
    predictions = [[0, 1, 3, 0], [2, 2], [1]]
    scores = build().score(predictions, references)
    # Labelled: 0-0, 1-1, 1-0 (wrong), 2-2, 2-2. F1 of class 0: 2/3, of class 1: 2/3, of class 2: 1.
    assert scores == pytest.approx(
        {"accuracy": 4 / 5, "macro_f1": (2 / 3 + 2 / 3 + 1) / 3, "sequence_accuracy": 1 / 2}
    )


def test_span_f1_is_there_for_bio_labels_alone(build, make_schema):
    task = build(schema=make_schema("synchronous", target=("O", "B-x", "I-x")))
    # Expected spans (0, 0..2) and (1, 0..1); predicted (0, 0..2) and (1, 0..2): one right of two and two.
    # The unlabelled step of the second row is left out before spans are read.
    scores = task.score([[1, 2, 0], [1, 0, 2]], [[1, 2, 0], [1, IGNORE, 0]])
    assert scores["span_f1"] == pytest.approx(1 / 2)
    # Labels that training never had mark a span of their own, which no answer finds: one right of 2 and 2.
    assert task.score([[1, 1, 2]], [[1, -1, -1]])["span_f1"] == pytest.approx(1 / 2)
    assert set(task.score([], [])) == {"accuracy", "macro_f1", "sequence_accuracy", "span_f1"}
    assert "span_f1" not in build().score([], [])


def test_learns_the_parity_so_far(build, make_schema, collate, learn):
    generator = torch.Generator().manual_seed(0)
    sources = [torch.randint(1, 3, (n,), generator=generator).tolist() for n in (2, 4, 5) * 12]
    targets = [(torch.tensor(row).eq(2).cumsum(0) % 2).tolist() for row in sources]
    batch = collate(sources, targets)
    schema = make_schema("synchronous", source=3, target=2)
    task = build(schema=schema, cell="rnn", hidden_size=16, dtype=torch.float32)
    learn(task, batch, steps=150, learning_rate=0.03)
    assert task.score(task.predict(batch), targets)["sequence_accuracy"] == 1.0
