import pytest
import torch

from rnnlab.api import Cell, Schema
from rnnlab_plugins.tasks.config import SequenceClassificationConfig
from rnnlab_plugins.tasks.sequence_classification import SequenceClassification

SOURCES, TARGETS = [[3, 5, 1, 2], [7], [4, 4, 8]], [0, 3, 2]
POOLINGS = ["last", "mean", "max"]


@pytest.fixture
def build(make_task, make_schema):
    def make(options=None, schema: Schema | None = None, **stack) -> SequenceClassification:
        config = SequenceClassificationConfig(**{"embedding_size": 5} | (options or {}))
        return make_task(SequenceClassification, config, schema or make_schema("class"), **stack)

    return make


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_batch_is_its_rows_one_by_one(build, collate, pooling, bidirectional):
    task = build({"pooling": pooling}, num_layers=2, bidirectional=bidirectional)
    together = task(collate(SOURCES))
    for row, logits in zip(SOURCES, together, strict=True):
        torch.testing.assert_close(task(collate([row]))[0], logits, rtol=1e-10, atol=1e-12)


def test_last_state_of_a_row_by_hand(build, collate):
    task = build(cell="rnn")
    (cell,) = (module for module in task.stack.modules() if isinstance(module, Cell))
    h = torch.zeros(1, 6, dtype=torch.float64)
    for token in SOURCES[0]:
        x = task.embedding.layer.weight[token]
        h = torch.tanh(x @ cell.weight_ih.T + cell.bias_ih + h @ cell.weight_hh.T + cell.bias_hh)
    logits = h @ task.output.weight.T + task.output.bias
    torch.testing.assert_close(task(collate(SOURCES))[0], logits[0], rtol=1e-10, atol=1e-12)


def test_loss_is_the_mean_cross_entropy_of_the_rows(build, collate):
    task = build()
    batch = collate(SOURCES, TARGETS)
    probabilities = task(batch).exp() / task(batch).exp().sum(-1, keepdim=True)
    expected = -sum(probabilities[b, y].log() for b, y in enumerate(TARGETS)) / 3
    value, items = task.loss(batch)
    assert items == 3
    torch.testing.assert_close(value, expected)
    evaluation = task.eval().evaluate(batch)
    assert evaluation.loss == pytest.approx(expected.item())
    assert evaluation.predictions == task.predict(batch) == probabilities.argmax(-1).tolist()


def test_smoothing_is_in_the_training_loss_alone(build, collate):
    batch = collate(SOURCES, TARGETS)
    plain, smooth = build().eval(), build({"label_smoothing": 0.3}).eval()
    assert smooth.loss(batch).value != plain.loss(batch).value
    assert smooth.evaluate(batch).loss == plain.evaluate(batch).loss


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("features", [0, 3])
@pytest.mark.parametrize("project", [False, True])
def test_padding_changes_nothing(
    build, make_schema, collate, pad_more, gradients, pooling, features, project
):
    sources = [torch.randn(len(row), features) for row in SOURCES] if features else SOURCES
    options = {"pooling": pooling, "embedding_size": 5 if project else None}
    task = build(options, make_schema("class", features=features), num_layers=2, bidirectional=True)
    batch = collate(sources, TARGETS)
    padded = pad_more(batch)
    torch.testing.assert_close(task.loss(padded).value, task.loss(batch).value)
    assert task.predict(padded) == task.predict(batch)
    expected = gradients(task, batch)
    torch.testing.assert_close(gradients(task, padded), expected)
    assert all(gradient.ne(0).any() for gradient in expected.values())


@pytest.mark.parametrize("pooling", POOLINGS)
def test_an_empty_row_is_legal(build, collate, gradients, pooling):
    task = build({"pooling": pooling}, bidirectional=True)
    batch = collate([[], [3, 5]], [1, 0])
    torch.testing.assert_close(task(batch)[0], task.output.bias)
    assert all(gradient.isfinite().all() for gradient in gradients(task, batch).values())


def test_score(build):
    scores = build().score([0, 1, 1, 2], [0, 1, 2, 2])
    assert scores == pytest.approx({"accuracy": 3 / 4, "macro_f1": (1 + 2 / 3 + 2 / 3) / 3})


def test_predict_needs_no_target_and_trace_shows_the_stack(build, collate):
    task = build()
    batch = collate(SOURCES)
    assert len(task.predict(batch)) == 3
    assert next(iter(task.trace(batch)[0].values())).shape[:2] == (4, 3)


def test_learns_the_class_of_the_first_token(build, make_schema, collate, learn):
    generator = torch.Generator().manual_seed(0)
    sources = [torch.randint(1, 5, (n,), generator=generator).tolist() for n in (3, 5, 7, 6) * 12]
    batch = collate(sources, [row[0] - 1 for row in sources])
    task = build(schema=make_schema("class", source=5), hidden_size=16, dtype=torch.float32)
    learn(task, batch, steps=80, learning_rate=0.03)
    assert task.score(task.predict(batch), batch.target.tolist())["accuracy"] == 1.0
