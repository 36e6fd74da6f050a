"""What answering without a model would score: the bar that every run must clear."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from rnnlab.data.dataset import Example, right_answers
from rnnlab.data.encoding import EncodedData

Answer = TypeVar("Answer")


def baselines(data: EncodedData, split: str = "test") -> dict[str, float]:
    """Scores on `split` of answers counted in the training split, by name.

    Returns:
        class: `most_frequent`, the accuracy of always answering the most frequent class.
        synchronous: `most_frequent`, the accuracy of the most frequent label over all labelled steps; and,
            for sources of tokens, `most_frequent_per_token`, that of the label seen most often with each
            source token (the overall one for tokens never seen).
        asynchronous: `most_frequent`, how often the most frequent target is a right answer; and, for
            sources of tokens, `copy`, how often the source itself is.
    """
    train, examples = data.splits["train"].examples, data.splits[split].examples
    if data.schema.mode == "class":
        common = most_frequent(example.target for example in train)
        return {"most_frequent": _mean([example.target == common for example in examples])}
    if data.schema.mode == "synchronous":
        return _labelling(train, examples, tokens=data.schema.source is not None)
    common = most_frequent(example.target for example in train)
    scores = {"most_frequent": _mean([common in right_answers(example) for example in examples])}
    if data.schema.source is not None:
        scores["copy"] = _mean([example.source in right_answers(example) for example in examples])
    return scores


def most_frequent(values: Iterable[Answer]) -> Answer:
    """The commonest value; of equally common ones the smallest."""
    counts = Counter(values)
    top = max(counts.values())
    return min((value for value, count in counts.items() if count == top), key=str)


def _labelling(train: Sequence[Example], examples: Sequence[Example], tokens: bool) -> dict[str, float]:
    common = most_frequent(label for example in train for label in example.target if label is not None)
    wanted = [label for example in examples for label in example.target if label is not None]
    scores = {"most_frequent": _mean([label == common for label in wanted])}
    if tokens:
        seen: dict[Any, list[str]] = defaultdict(list)
        for token, label in _labelled_steps(train):
            seen[token].append(label)
        best = {token: most_frequent(labels) for token, labels in seen.items()}
        right = [best.get(token, common) == label for token, label in _labelled_steps(examples)]
        scores["most_frequent_per_token"] = _mean(right)
    return scores


def _labelled_steps(examples: Sequence[Example]) -> Iterable[tuple[Any, str]]:
    for example in examples:
        for token, label in zip(example.source, example.target, strict=True):
            if label is not None:
                yield token, label


def _mean(right: list[bool]) -> float:
    """Share of True; 0 where there is nothing to be right about."""
    return sum(right) / len(right) if right else 0.0
