"""The splits a data set did not bring, and the limit on training examples: the same for every seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnlab.data.dataset import Corpus, Example, right_answers
from rnnlab.errors import InputError

SEED = 1997
"""Of all fixed shuffles. It is never the run's, so that runs with different seeds share their splits."""

HELD_OUT = 0.1
"""Share of "train" that becomes a missing "val" or "test"."""


def complete_splits(corpus: Corpus, limit: int | None = None) -> dict[str, list[Example]]:
    """The splits "train", "val" and "test", and any other that the corpus has.

    Held-out examples that share their source leave "train" together, so that no source of a split taken
    here was trained on.

    Args:
        corpus: as a data set read it.
        limit: training examples to keep, the first after a fixed shuffle; a larger limit contains a smaller
            one.

    Raises:
        InputError: a split is empty, or "train" is too small to share out.
    """
    splits = {name: list(examples) for name, examples in corpus.splits.items()}
    for name in ("train", *splits):
        if not splits.get(name):
            raise InputError(
                f"split {name!r} must have at least one example, got none; check the data set's files"
            )
    missing = [name for name in ("test", "val") if name not in splits]
    if missing:
        splits |= _hold_out(splits["train"], missing)
    if corpus.mode == "asynchronous" and corpus.merge_references:
        splits |= {name: merge_references(splits[name]) for name in splits if name != "train"}
    if limit is not None:
        order = _shuffle(len(splits["train"]))
        splits["train"] = [splits["train"][i] for i in order[:limit]]
    first = {name: splits.pop(name) for name in ("train", "val", "test")}
    return first | splits


def merge_references(examples: Sequence[Example]) -> list[Example]:
    """One example for each source, in order of first appearance, with all its targets as right answers."""
    answers: dict[object, dict[tuple[str, ...], None]] = {}
    first: dict[object, Example] = {}
    for example in examples:
        key = source_key(example)
        first.setdefault(key, example)
        answers.setdefault(key, {}).update(dict.fromkeys(right_answers(example)))
    merged = []
    for key, example in first.items():
        target, *references = answers[key]
        merged.append(Example(example.source, target, tuple(references)))
    return merged


def source_key(example: Example) -> object:
    """Hashable, equal for equal sources."""
    source = example.source
    return (source.shape, source.tobytes()) if isinstance(source, np.ndarray) else source


def _hold_out(train: list[Example], names: list[str]) -> dict[str, list[Example]]:
    groups: dict[object, list[Example]] = {}
    for example in train:
        groups.setdefault(source_key(example), []).append(example)
    if len(groups) <= len(names):
        raise InputError(
            f"split 'train' must have more than {len(names)} different sources to take {' and '.join(names)} "
            f"from, got {len(groups)}; give more examples, or these splits themselves"
        )
    keys = list(groups)
    size = max(1, round(HELD_OUT * len(keys)))
    order = _shuffle(len(keys))
    owner = {keys[i]: name for n, name in enumerate(names) for i in order[n * size : (n + 1) * size]}
    shares: dict[str, list[Example]] = {name: [] for name in ("train", *names)}
    for example in train:
        shares[owner.get(source_key(example), "train")].append(example)
    return shares


def _shuffle(count: int) -> list[int]:
    # NumPy keeps RandomState's streams as they are for ever, which it does not promise of default_rng's.
    return np.random.RandomState(SEED).permutation(count).tolist()
