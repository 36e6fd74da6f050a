import pytest

from rnnlab_plugins.tasks.spans import is_bio, span_f1, spans


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("O O", set()),
        ("B-x I-x O B-y", {("x", 0, 2), ("y", 3, 4)}),
        ("B-x B-x I-x", {("x", 0, 1), ("x", 1, 3)}),
        ("O I-x I-x", {("x", 1, 3)}),  # a span may begin with I, as conlleval has it
        ("B-x I-y I-y", {("x", 0, 1), ("y", 1, 3)}),  # another type begins another span
        ("I-x O I-x", {("x", 0, 1), ("x", 2, 3)}),
        ("B-a-b I-a-b", {("a-b", 0, 2)}),  # types may hold hyphens
        ("B I O B", {("", 0, 2), ("", 3, 4)}),
        ("B-x <unk> I-x", {("x", 0, 1), ("x", 2, 3)}),
        ("", set()),
    ],
)
def test_spans(labels, expected):
    assert spans(labels.split()) == expected


def test_span_f1_of_a_hand_worked_case():
    references = ["B-x I-x O B-y", "O B-x O"]
    predictions = ["B-x I-x O B-x", "O B-x I-x"]
    # Expected 3 spans, predicted 3; (x, 0, 2) alone is right: precision 1/3, recall 1/3.
    assert span_f1([p.split() for p in predictions], [r.split() for r in references]) == pytest.approx(1 / 3)


def test_span_f1_is_over_the_whole_split_not_a_mean_of_rows():
    # Row 1: 1 of 1 right. Row 2: 0 right of 1 predicted, 3 expected. Precision 1/2, recall 1/4.
    references, predictions = [["B-x"], ["B-x", "B-x", "B-x"]], [["B-x"], ["O", "B-y", "O"]]
    assert span_f1(predictions, references) == pytest.approx(2 * (1 / 2) * (1 / 4) / (1 / 2 + 1 / 4))


def test_span_f1_without_spans_is_zero():
    assert span_f1([["O"]], [["O"]]) == 0.0


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["O", "B-x", "I-x"], True),
        (["B", "I"], True),
        (["NOUN", "VERB", "O"], False),
        (["O"], False),
        (["O", "I-x"], False),  # nothing marks a beginning: not certainly BIO
        (["O", "B-x", "E-x"], False),
        ([], False),
    ],
)
def test_is_bio(labels, expected):
    assert is_bio(labels) is expected
