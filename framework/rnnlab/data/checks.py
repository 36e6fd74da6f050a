"""What must hold of the examples a data set read, whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rnnlab.data.dataset import Example
from rnnlab.errors import InputError
from rnnlab.plugins.spec import Mode


def check_examples(mode: Mode, splits: Mapping[str, Sequence[Example]]) -> int:
    """Check every example; return F, the width of real-valued sources, or 0 for tokens.

    Raises:
        InputError: naming split, example, what was expected and what was got.
    """
    first = splits["train"][0].source
    features = first.shape[-1] if isinstance(first, np.ndarray) else 0
    for name, examples in splits.items():
        for number, example in enumerate(examples):
            problem = _source_problem(example, features) or _target_problem(example, mode)
            if problem:
                raise InputError(
                    f"example {number} of split {name!r}: {problem}; the data set's reader is at fault"
                )
    if mode == "synchronous" and not any(label is not None for e in splits["train"] for label in e.target):
        raise InputError(
            "split 'train' must have a label somewhere, got none; check the data set's label option"
        )
    return features


def _source_problem(example: Example, features: int) -> str | None:
    source = example.source
    if not features:
        return (
            None if isinstance(source, tuple) else f"expected a tuple of tokens, got {type(source).__name__}"
        )
    if not isinstance(source, np.ndarray) or source.dtype != np.float32:
        got = source.dtype if isinstance(source, np.ndarray) else type(source).__name__
        return f"expected features float32, got {got}"
    if source.ndim != 2 or source.shape[1] != features:
        return f"expected features [T, {features}], got {list(source.shape)}"
    if not np.isfinite(source).all():
        return "expected finite features, got NaN or infinity"
    return None


def _target_problem(example: Example, mode: Mode) -> str | None:
    target = example.target
    if mode == "class":
        return None if isinstance(target, str) else f"expected one label, got {type(target).__name__}"
    if not isinstance(target, tuple):
        return f"expected a tuple of labels or tokens, got {type(target).__name__}"
    if mode == "synchronous":
        steps = len(example.source)
        return None if len(target) == steps else f"expected {steps} labels, one a step, got {len(target)}"
    return "expected target tokens, got None among them" if None in target else None
