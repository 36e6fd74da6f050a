"""Answers beside the truth: which parts are wrong."""

from __future__ import annotations

import pytest

from rnnlab.dashboard.screens.answers import Answer, Form, Part, compare, form_of


def one(form: Form, prediction: str, target: str, source: str = "") -> Answer:
    return compare([{"source": source, "prediction": prediction, "target": target}], form)[0]


def texts(parts: tuple[Part, ...]) -> str:
    """Wrong parts in brackets."""
    return "".join(f"[{part.text}]" if part.wrong else part.text for part in parts)


@pytest.mark.parametrize(
    ("task", "items", "form"),
    [
        ("sequence_classification", [], "label"),
        ("sequence_labelling", [], "labels"),
        ("sequence_to_sequence", [], "sequence"),
        ("somebodys_own", [{"target": "3", "prediction": "5"}], "label"),
        ("somebodys_own", [{"target": "N V", "prediction": "N N"}], "labels"),
        ("somebodys_own", [{"target": "a b c", "prediction": "a b"}], "sequence"),
    ],
)
def test_the_form_is_known_by_task_or_by_looks(task, items, form):
    assert form_of(task, items) == form


@pytest.mark.parametrize(
    ("form", "prediction", "target", "told", "asked"),
    [
        ("label", "3", "3", "3", "3"),
        ("label", "3", "5", "[3]", "[5]"),
        ("labels", "N V N", "N V A", "N V [N]", "N V [A]"),
        ("labels", "1 0 1", "0 _ 1", "[1] 0 1", "[0] _ 1"),
        ("labels", "N", "N V", "N", "N [V]"),
        ("sequence", "a big fox", "a red big fox", "a big fox", "a [red] big fox"),
        ("sequence", "walkd", "walked", "walkd", "walk[e]d"),
        ("sequence", "", "word", "", "[word]"),
    ],
)
def test_wrong_parts_are_marked(form, prediction, target, told, asked):
    answer = one(form, prediction, target)
    assert texts(answer.prediction) == told
    assert texts(answer.target) == asked
    assert answer.right == ("[" not in told + asked)


def test_steps_stand_beside_what_was_read_there():
    answer = one("labels", "1 _ 1", "0 _ 1", source="AA B IY")
    assert [(step.source, step.prediction.text, step.prediction.wrong) for step in answer.steps] == [
        ("AA", "1", True),
        ("B", "_", False),
        ("IY", "1", False),
    ]
    assert one("labels", "1 0", "1 0", source="one word more").steps == ()
