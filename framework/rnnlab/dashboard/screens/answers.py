"""A model's answers beside the truth: which parts are wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal

Form = Literal["label", "labels", "sequence"]
"""One label, one label for each step, or a sequence of its own length."""


@dataclass(frozen=True)
class Part:
    """A piece of a text; `wrong` where the other text has something else, or nothing, in its place."""

    text: str
    wrong: bool = False


@dataclass(frozen=True)
class Step:
    """What the model read at one step, and the label it gave it beside the right one."""

    source: str
    prediction: Part
    target: Part


@dataclass(frozen=True)
class Answer:
    """One example.

    Attributes:
        source: what the model read.
        prediction, target: in parts, neighbours of one kind joined; their texts are what was written.
        steps: of one label for each step, where the source too has a word for each; else empty.
    """

    source: str
    prediction: tuple[Part, ...]
    target: tuple[Part, ...]
    steps: tuple[Step, ...] = ()

    @property
    def right(self) -> bool:
        """Whether all of it is."""
        return not any(part.wrong for part in (*self.prediction, *self.target))


def form_of(task: str, items: Sequence[Mapping[str, str]]) -> Form:
    """What the answers of `task` (its plugin's name) are; of a task that is not known, by how they look."""
    for word, form in (("classification", "label"), ("labelling", "labels"), ("to_sequence", "sequence")):
        if word in task:
            return form  # pyright: ignore[reportReturnType]
    counts = [[len(item.get(name, "").split()) for name in ("target", "prediction")] for item in items]
    if all(count == [1, 1] for count in counts):
        return "label"
    return "labels" if all(target == prediction for target, prediction in counts) else "sequence"


def compare(items: Sequence[Mapping[str, str]], form: Form) -> list[Answer]:
    """The items of a `Samples` event with their wrong parts found.

    Sequences are aligned, word by word if any of them has several words, else character by character. A
    label "_" is none: nothing is asked of the model there.
    """
    texts = [(item.get("prediction", ""), item.get("target", "")) for item in items]
    in_words = any(len(text.split()) > 1 for pair in texts for text in pair)
    answers = []
    for item, (prediction, target) in zip(items, texts, strict=True):
        source, steps = item.get("source", ""), ()
        if form == "label":
            marks = [prediction != target]
            parts = _join([prediction], marks, ""), _join([target], marks, "")
        elif form == "labels":
            parts = _step_by_step(prediction.split(), target.split())
            steps = _steps(source.split(), prediction.split(), target.split())
        else:
            parts = _aligned(prediction, target, in_words)
        answers.append(Answer(source, *parts, steps))
    return answers


def _step_by_step(prediction: list[str], target: list[str]) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    marks = [_is_wrong(*pair) for pair in zip_longest(prediction, target, fillvalue=None)]
    return _join(prediction, marks, " "), _join(target, marks, " ")


def _steps(source: list[str], prediction: list[str], target: list[str]) -> tuple[Step, ...]:
    if not len(source) == len(prediction) == len(target):
        return ()
    triples = zip(source, prediction, target, strict=True)
    return tuple(
        Step(word, Part(told, _is_wrong(told, asked)), Part(asked, _is_wrong(told, asked)))
        for word, told, asked in triples
    )


def _is_wrong(told: str | None, asked: str | None) -> bool:
    return told != asked and asked != "_"


def _aligned(prediction: str, target: str, in_words: bool) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    told, asked = (text.split() if in_words else list(text) for text in (prediction, target))
    told_marks, asked_marks = [True] * len(told), [True] * len(asked)
    for block in SequenceMatcher(None, told, asked, autojunk=False).get_matching_blocks():
        told_marks[block.a : block.a + block.size] = [False] * block.size
        asked_marks[block.b : block.b + block.size] = [False] * block.size
    between = " " if in_words else ""
    return _join(told, told_marks, between), _join(asked, asked_marks, between)


def _join(words: list[str], marks: list[bool], between: str) -> tuple[Part, ...]:
    """Words with what stands between them, neighbours of one kind as one part."""
    parts: list[Part] = []
    for word, wrong in zip(words, marks, strict=False):  # marks may go on: the other text is longer
        if parts and parts[-1].wrong == wrong:
            parts[-1] = Part(parts[-1].text + between + word, wrong)
        else:
            if parts and between:
                parts.append(Part(between))
            parts.append(Part(word, wrong))
    return tuple(_merge(parts))


def _merge(parts: list[Part]) -> list[Part]:
    """Right neighbours as one: a blank after a wrong word belongs to what follows."""
    merged: list[Part] = []
    for part in parts:
        if merged and merged[-1].wrong == part.wrong:
            merged[-1] = Part(merged[-1].text + part.text, part.wrong)
        else:
            merged.append(part)
    return merged
