import pytest
import torch
import torch.nn.functional as F

from rnnlab.api import InputError, Schema
from rnnlab_plugins.tasks import metrics
from rnnlab_plugins.tasks.config import SequenceToSequenceConfig
from rnnlab_plugins.tasks.sequence_to_sequence import SequenceToSequence

BOS, EOS = 1, 2
SOURCES, TARGETS = [[3, 5, 1, 2], [7], [4, 4, 8]], [[4, 3], [6, 6, 5, 4], [3]]
ATTENTION = ["none", "luong"]


@pytest.fixture
def build(make_task, make_schema):
    def make(options=None, schema: Schema | None = None, **stack) -> SequenceToSequence:
        config = SequenceToSequenceConfig(**{"embedding_size": 5} | (options or {}))
        return make_task(SequenceToSequence, config, schema or make_schema("asynchronous"), **stack)

    return make


def by_hand(task: SequenceToSequence, collate, source, target) -> list[torch.Tensor]:
    """One row, step by step, the right tokens fed: the logits [V] of each target token, eos included."""
    encoded = task.encode(collate([source]))
    state, logits = encoded.state, []
    for token in [BOS, *target]:
        step_logits, state = task.step(torch.tensor([token]), state, encoded.memory)
        logits.append(step_logits[0])
    return logits


@pytest.mark.parametrize("attention", ATTENTION)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_loss_is_the_mean_over_target_tokens_and_their_eos(build, collate, attention, bidirectional):
    task = build({"attention": attention}, num_layers=2, bidirectional=bidirectional)
    terms = []
    for source, target in zip(SOURCES, TARGETS, strict=True):
        for logits, token in zip(by_hand(task, collate, source, target), [*target, EOS], strict=True):
            terms.append(logits.exp().sum().log() - logits[token])
    batch = collate(SOURCES, TARGETS, EOS)
    value, items = task.loss(batch)
    assert items == len(terms) == 10
    torch.testing.assert_close(value, sum(terms) / 10)
    evaluation = task.eval().evaluate(batch)
    assert (evaluation.loss, evaluation.items) == (pytest.approx(value.item()), 10)
    assert evaluation.predictions == task.predict(batch)


@pytest.mark.parametrize("attention", ATTENTION)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("reverse_source", [False, True])
def test_decoding_a_batch_is_decoding_each_row(
    build, collate, learn, attention, bidirectional, reverse_source
):
    options = {"attention": attention, "reverse_source": reverse_source, "max_length_extra": 3}
    task = build(options, bidirectional=bidirectional)
    # Half trained: answers then differ between rows, in length too.
    learn(task, collate(SOURCES, TARGETS, EOS), steps=30, learning_rate=0.05)
    generator = torch.Generator().manual_seed(0)
    sources = [torch.randint(1, 9, (n,), generator=generator).tolist() for n in (6, 1, 4, 2, 5, 3)] + SOURCES
    together = task.predict(collate(sources))
    assert together == [task.predict(collate([row]))[0] for row in sources]
    assert len({len(answer) for answer in together}) > 1
    assert all(len(answer) <= 2 * len(row) + 3 for row, answer in zip(sources, together, strict=True))


@pytest.mark.parametrize("attention", ATTENTION)
@pytest.mark.parametrize("features", [0, 3])
@pytest.mark.parametrize("reverse_source", [False, True])
def test_padding_changes_nothing(
    build, make_schema, collate, pad_more, gradients, attention, features, reverse_source
):
    sources = [torch.randn(len(row), features) for row in SOURCES] if features else SOURCES
    options = {"attention": attention, "reverse_source": reverse_source}
    schema = make_schema("asynchronous", features=features)
    task = build(options, schema, num_layers=2, bidirectional=True)
    batch = collate(sources, TARGETS, EOS)
    padded = pad_more(batch)
    torch.testing.assert_close(task.loss(padded).value, task.loss(batch).value)
    assert task.predict(padded) == task.predict(batch)
    torch.testing.assert_close(gradients(task, padded), gradients(task, batch))


@pytest.mark.parametrize("attention", ATTENTION)
@pytest.mark.parametrize(("cell", "decoder_cell"), [("lstm", "rnn"), ("rnn", "lstm"), ("lstm", "lstm")])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("tie_embeddings", [False, True])
def test_gradients_reach_every_parameter(
    build, collate, gradients, attention, cell, decoder_cell, bidirectional, tie_embeddings
):
    options = {"attention": attention, "tie_embeddings": tie_embeddings, "embedding_size": 6}
    task = build(options, cell=cell, decoder_cell=decoder_cell, bidirectional=bidirectional)
    for name, gradient in gradients(task, collate(SOURCES, TARGETS, EOS)).items():
        assert gradient.isfinite().all() and gradient.ne(0).any(), name


def test_an_empty_source_is_legal(build, collate, gradients):
    task = build(bidirectional=True)
    batch = collate([[], [3, 5]], [[3], [4, 4]], EOS)
    assert len(task.predict(batch)) == 2
    assert all(gradient.isfinite().all() for gradient in gradients(task, batch).values())


def test_scheduled_sampling_at_zero_feeds_the_decoders_own_answers(build, collate):
    task = build({"teacher_forcing_ratio": 0.0})
    batch = collate(SOURCES, TARGETS, EOS)
    terms = []
    for source, target in zip(SOURCES, TARGETS, strict=True):
        encoded = task.encode(collate([source]))
        state, token = encoded.state, torch.tensor([BOS])
        for right in [*target, EOS]:
            logits, state = task.step(token, state, encoded.memory)
            terms.append(F.cross_entropy(logits, torch.tensor([right])))
            token = logits.argmax(-1)
    torch.testing.assert_close(task.loss(batch).value, sum(terms) / len(terms))
    # Evaluation feeds the right tokens, whatever training does.
    assert task.evaluate(batch).loss == pytest.approx(build().loss(batch).value.item())


def test_scheduled_sampling_at_one_is_teacher_forcing(build, collate):
    task = build()
    batch = collate(SOURCES, TARGETS, EOS)
    encoded = task.encode(batch)
    torch.testing.assert_close(task.sampled(encoded, batch.target, 1.0), task.forced(encoded, batch.target))


def test_scheduled_sampling_tosses_a_coin_for_each_token(build, collate, monkeypatch):
    task = build()
    target = collate([[3]] * 200, [[4] * 20] * 200, EOS).target
    encoded = task.encode(collate([[3]] * 200))
    fed = []
    step = task.step
    monkeypatch.setattr(task, "step", lambda tokens, *rest: fed.append(tokens) or step(tokens, *rest))
    torch.manual_seed(0)
    logits = task.sampled(encoded, target, 0.75)
    own, inputs = logits.argmax(-1)[:-1], torch.stack(fed)[1:]
    undecided = own == 4
    right, kept = inputs.eq(4) & ~undecided, inputs.eq(own) & ~undecided
    assert (right | kept | undecided).all()
    assert right.sum() / (~undecided).sum() == pytest.approx(0.75, abs=0.03)


def test_tied_embeddings_are_one_parameter(build):
    task = build({"tie_embeddings": True, "embedding_size": 6})
    assert "target_embedding.weight" not in task.state_dict()
    tokens = torch.tensor([3, 1])
    assert torch.equal(task._embed(tokens), task.output.weight[tokens])
    with pytest.raises(InputError, match=r"hidden size 6, got 5; set task\.embedding_size=6"):
        build({"tie_embeddings": True})


def test_reversed_source_is_the_source_from_its_end(build, collate):
    task = build({"reverse_source": True})
    plain = build()
    batch, backwards = collate(SOURCES, TARGETS, EOS), collate([row[::-1] for row in SOURCES], TARGETS, EOS)
    torch.testing.assert_close(task.loss(batch).value, plain.loss(backwards).value)
    # The trace stays in the order of the source: its first step is the last that was read.
    read = plain.trace(backwards)[0]
    for name, shown in task.trace(batch)[0].items():
        for b, row in enumerate(SOURCES):
            torch.testing.assert_close(shown[: len(row), b], read[name][: len(row), b].flip(0))


def test_score(build):
    task = build()
    answers, references = [[3, 4, 5, 6], [3]], [[[3, 4, 5, 6], [4]], [[3, 4]]]
    texts = (["y0 y1 y2 y3", "y0"], [["y0 y1 y2 y3", "y1"], ["y0 y1"]])
    assert task.score(answers, references) == pytest.approx(
        {
            "exact_match": 1 / 2,
            "error_rate": 1 / 6,
            "bleu": metrics.bleu(*texts),
            "chrf": metrics.chrf(*texts),
        }
    )
    assert set(task.score([], [])) == {"exact_match", "error_rate", "bleu", "chrf"}


@pytest.mark.parametrize(
    ("options", "cells"),
    [
        ({"attention": "luong"}, {"cell": "lstm", "bidirectional": True}),
        ({"attention": "none", "reverse_source": True}, {"cell": "rnn", "decoder_cell": "lstm"}),
        ({"attention": "luong", "teacher_forcing_ratio": 0.8}, {"cell": "lstm", "decoder_cell": "rnn"}),
    ],
)
def test_learns_to_reverse(build, make_schema, collate, learn, options, cells):
    generator = torch.Generator().manual_seed(0)
    sources = [torch.randint(1, 5, (n,), generator=generator).tolist() for n in (2, 3, 4) * 10]
    targets = [[token + 2 for token in reversed(row)] for row in sources]
    schema = make_schema("asynchronous", source=5)
    task = build({"embedding_size": 16} | options, schema, hidden_size=24, dtype=torch.float32, **cells)
    learn(task, collate(sources, targets, EOS), steps=150, learning_rate=0.02)
    answers = task.predict(collate(sources))
    assert task.score(answers, [[target] for target in targets])["exact_match"] == 1.0
