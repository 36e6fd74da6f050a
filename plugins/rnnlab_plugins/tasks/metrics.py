"""Scores over whole splits. An empty split scores 0.

torchmetrics and sacrebleu are imported where they are used: `rnnlab predict` needs neither, and the first
takes seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch

Tokens = Sequence[int]


def mean(values: Iterable[float]) -> float:
    """Arithmetic mean; 0 of nothing."""
    values = list(values)
    return sum(values) / len(values) if values else 0.0


def accuracy(predictions: Sequence[int], references: Sequence[int]) -> float:
    """Share of right answers, 0..1."""
    return mean(p == r for p, r in zip(predictions, references, strict=True))


def macro_f1(predictions: Sequence[int], references: Sequence[int], num_classes: int) -> float:
    """Mean over classes of each one's F1, 0..1; a class neither predicted nor expected is left out.

    References outside 0..num_classes-1, which training never had, count together as one more class.
    """
    if not references:
        return 0.0
    from torchmetrics.functional.classification import multiclass_f1_score

    known = [r if 0 <= r < num_classes else num_classes for r in references]
    return multiclass_f1_score(
        torch.tensor(predictions), torch.tensor(known), num_classes=num_classes + 1, average="macro"
    ).item()


def exact_match(predictions: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> float:
    """Share of answers equal to one of their references, 0..1."""
    pairs = zip(predictions, references, strict=True)
    return mean(any(list(answer) == list(right) for right in rights) for answer, rights in pairs)


def edit_distance(prediction: Tokens, reference: Tokens) -> int:
    """Fewest insertions, deletions and substitutions that turn one into the other (Levenshtein 1966).

    Exact at any length; torchmetrics' `edit_distance` searches a band of the table and overestimates where
    the answers are far apart.
    """
    right = np.asarray(reference, dtype=np.int64)
    columns = np.arange(len(right) + 1)
    row = columns
    for token in prediction:
        best = np.empty_like(row)
        best[0] = row[0] + 1
        best[1:] = np.minimum(row[1:] + 1, row[:-1] + (right != token))
        # An insertion costs one a column: a running minimum of (cost - column) settles all of them at once.
        row = np.minimum.accumulate(best - columns) + columns
    return int(row[-1])


def error_rate(predictions: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> float:
    """Edits needed to reach the nearest reference, over the tokens of those references; can exceed 1.

    With characters as tokens this is the character error rate, with phonemes the phoneme error rate, with
    words the word error rate. Of references equally near, the longest is taken.
    """
    edits = tokens = 0
    for answer, rights in zip(predictions, references, strict=True):
        distance, negative_length = min((edit_distance(answer, right), -len(right)) for right in rights)
        edits += distance
        tokens -= negative_length
    return edits / max(tokens, 1)


def bleu(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Corpus BLEU, 0..100 (Papineni et al. 2002), of texts whose tokens are joined by spaces."""
    if not predictions:
        return 0.0
    import sacrebleu

    # The texts are tokens already: sacrebleu shall tokenize no further, nor (`force`) warn of it.
    return sacrebleu.corpus_bleu(predictions, _streams(references), tokenize="none", force=True).score


def chrf(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Corpus chrF2, 0..100 (Popović 2015), of texts as they are read; spaces do not count."""
    if not predictions:
        return 0.0
    import sacrebleu

    return sacrebleu.corpus_chrf(predictions, _streams(references)).score


def _streams(references: Sequence[Sequence[str]]) -> list[list[str]]:
    """References by example, turned into streams as sacrebleu wants them, all of one length.

    An example with fewer references than others repeats one, which changes neither BLEU nor chrF.
    """
    count = max(len(rights) for rights in references)
    return [[rights[i % len(rights)] for rights in references] for i in range(count)]
