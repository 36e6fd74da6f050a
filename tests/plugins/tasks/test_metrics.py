import random

import pytest
import sacrebleu

from rnnlab_plugins.tasks import metrics


def test_accuracy_and_macro_f1_of_a_hand_worked_case():
    predictions, references = [0, 1, 1, 2], [0, 1, 2, 2]
    assert metrics.accuracy(predictions, references) == 3 / 4
    # Class 0: F1 1. Class 1: precision 1/2, recall 1, F1 2/3. Class 2: 1, 1/2, 2/3. Class 3 occurs nowhere.
    assert metrics.macro_f1(predictions, references, 4) == pytest.approx((1 + 2 / 3 + 2 / 3) / 3)


def test_a_class_that_training_never_had_is_always_missed():
    predictions, references = [0, 1, 1], [0, 1, -1]
    assert metrics.accuracy(predictions, references) == 2 / 3
    # Class 0: 1. Class 1: precision 1/2, recall 1, F1 2/3. The unseen class: 0.
    assert metrics.macro_f1(predictions, references, 2) == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_empty_splits_score_zero():
    assert metrics.accuracy([], []) == metrics.macro_f1([], [], 3) == metrics.exact_match([], []) == 0.0
    assert metrics.error_rate([], []) == metrics.bleu([], []) == metrics.chrf([], []) == 0.0


def levenshtein(a: list[int], b: list[int]) -> int:
    """The textbook's table, cell by cell."""
    table = [[i + j if i * j == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            substituted = table[i - 1][j - 1] + (a[i - 1] != b[j - 1])
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, substituted)
    return table[-1][-1]


def test_edit_distance_equals_the_table():
    rng = random.Random(0)
    for _ in range(200):
        a, b = ([rng.randrange(4) for _ in range(rng.randrange(12))] for _ in range(2))
        assert metrics.edit_distance(a, b) == levenshtein(a, b)


def test_edit_distance_is_exact_where_the_answers_are_far_apart():
    rng = random.Random(1)
    a = [rng.randrange(4) for _ in range(120)]
    b = a[50:] + [rng.randrange(4) for _ in range(50)]
    assert metrics.edit_distance(a, b) == levenshtein(a, b)


@pytest.mark.parametrize(
    ("a", "b", "edits"), [("kitten", "sitting", 3), ("", "abc", 3), ("ab", "", 2), ("", "", 0)]
)
def test_edit_distance_of_known_words(a, b, edits):
    assert metrics.edit_distance([ord(c) for c in a], [ord(c) for c in b]) == edits


def test_error_rate_takes_the_nearest_reference_and_sums_over_the_split():
    predictions = [[1, 2, 3], [4]]
    references = [[[9, 9], [1, 2, 4, 5]], [[4, 5]]]
    # Row 1: 3 edits to the first, 2 to the second (4 tokens). Row 2: 1 edit, 2 tokens.
    assert metrics.error_rate(predictions, references) == (2 + 1) / (4 + 2)


def test_exact_match_takes_any_reference():
    assert metrics.exact_match([[1, 2], [3], []], [[[5], [1, 2]], [[3, 3]], [[]]]) == 2 / 3


def test_bleu_and_chrf_are_sacrebleus():
    answers = ["the cat sat on the mat", "a dog runs home now", "x"]
    references = [["the cat sat on a mat", "a cat sat on the mat"], ["the dog runs home now"], ["y z"]]
    # sacrebleu's own way of saying that an example has fewer references than another is None.
    streams = [[rights[i] if i < len(rights) else None for rights in references] for i in range(2)]
    expected_bleu = sacrebleu.BLEU(tokenize="none", force=True).corpus_score(answers, streams).score
    expected_chrf = sacrebleu.CHRF().corpus_score(answers, streams).score
    assert 10 < expected_bleu < 90
    assert metrics.bleu(answers, references) == pytest.approx(expected_bleu, abs=1e-12)
    assert metrics.chrf(answers, references) == pytest.approx(expected_chrf, abs=1e-12)
    assert metrics.bleu(["a b c d e"], [["a b c d e"]]) == pytest.approx(100.0)
