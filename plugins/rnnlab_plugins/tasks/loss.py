"""The loss of all three modes."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from rnnlab.api import IGNORE, Loss


def cross_entropy(logits: Tensor, target: Tensor, label_smoothing: float = 0.0) -> Loss:
    """Mean cross entropy in nats over the targets that are not IGNORE; 0 if there is none.

    Args:
        logits: [..., C].
        target: class ids [...] int64, IGNORE where nothing is to be learned.
        label_smoothing: share of the probability spread evenly over all C classes (Szegedy et al. 2016).
    """
    items = (target != IGNORE).sum()
    total = F.cross_entropy(
        logits.flatten(0, -2),
        target.flatten(),
        ignore_index=IGNORE,
        reduction="sum",
        label_smoothing=label_smoothing,
    )
    return Loss(total / items.clamp(min=1), items)
