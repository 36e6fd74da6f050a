"""Span F1 over BIO labels, by the rules of CoNLL's conlleval (Tjong Kim Sang and Buchholz 2000)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

BIO = re.compile(r"O|[BI](-.*)?")

UNSEEN = "I-<unseen>"
"""Stands for a label that training never had: part of a span that no answer can find."""


def is_bio(labels: Iterable[str]) -> bool:
    """Whether labels are BIO: `O`, `B-x`, `I-x` (or bare `B`, `I`), with a `B` among them."""
    labels = list(labels)
    return all(BIO.fullmatch(label) for label in labels) and any(label[0] == "B" for label in labels)


def spans(labels: Sequence[str]) -> set[tuple[str, int, int]]:
    """The spans that BIO labels mark, as conlleval reads them.

    `B-x` always begins a span; `I-x` goes on with the span of type x before it, and begins one where there
    is none; any other label ends a span.

    Returns:
        (type, first step, step after the last) of each span.
    """
    found: set[tuple[str, int, int]] = set()
    begun: tuple[str, int] | None = None
    for step, label in enumerate((*labels, "O")):
        part, _, kind = label.partition("-")
        if begun is not None and (part != "I" or kind != begun[0]):
            found.add((*begun, step))
            begun = None
        if begun is None and part in ("B", "I"):
            begun = (kind, step)
    return found


def span_f1(predictions: Iterable[Sequence[str]], references: Iterable[Sequence[str]]) -> float:
    """Micro F1, 0..1: a span is right if its type and both its ends are; 0 if there are no right spans."""
    right = predicted = expected = 0
    for prediction, reference in zip(predictions, references, strict=True):
        ours, theirs = spans(prediction), spans(reference)
        right += len(ours & theirs)
        predicted += len(ours)
        expected += len(theirs)
    return 2 * right / (predicted + expected) if right else 0.0
