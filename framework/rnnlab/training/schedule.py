"""Optimizer and learning-rate schedule from the training section."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from rnnlab.config.training import TrainingConfig

PLATEAU_PATIENCE = 2
"""Evaluations without a better score after which the plateau schedule halves the learning rate."""


def make_optimizer(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> torch.optim.Optimizer:
    """The optimizer that `config.optimizer` names."""
    rate, decay = config.learning_rate, config.weight_decay
    match config.optimizer:
        case "adam":
            return torch.optim.Adam(parameters, lr=rate, weight_decay=decay, fused=True)
        case "adamw":
            return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay, fused=True)
        case "sgd":
            momentum = config.momentum
            return torch.optim.SGD(parameters, lr=rate, weight_decay=decay, momentum=momentum, fused=True)


class Schedule:
    """Learning rate as a function of the step, and for `plateau` of the monitored scores.

    rate(s) = peak * min(1, (s+1)/warmup) * shape(p), with p in [0, 1] the share done of the steps after
    warm-up, and shape 1 (constant), 1-p (linear), (1+cos(pi p))/2 (cosine; Loshchilov & Hutter 2017), or
    1/2^k after k standstills (plateau).
    """

    def __init__(self, optimizer: torch.optim.Optimizer, config: TrainingConfig, total_steps: int) -> None:
        self.optimizer, self.config, self.total_steps = optimizer, config, total_steps
        self.halvings, self.standing = 0, 0

    def rate(self, step: int) -> float:
        """Learning rate of the update that follows `step` finished ones."""
        warmup = self.config.warmup_steps
        rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
        done = min(1.0, max(0, step - warmup) / max(1, self.total_steps - warmup))
        shape = {
            "constant": 1.0,
            "linear": 1.0 - done,
            "cosine": 0.5 * (1.0 + math.cos(math.pi * done)),
            "plateau": 0.5**self.halvings,
        }[self.config.schedule]
        return self.config.learning_rate * rise * shape

    def apply(self, step: int) -> float:
        """Set the optimizer's learning rate for the next update and return it."""
        rate = self.rate(step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        return rate

    def observe(self, improved: bool) -> None:
        """Take note of an evaluation; only `plateau` cares."""
        self.standing = 0 if improved else self.standing + 1
        if self.standing >= PLATEAU_PATIENCE:
            self.standing, self.halvings = 0, self.halvings + 1

    def state_dict(self) -> dict[str, int]:
        """What a checkpoint keeps."""
        return {"halvings": self.halvings, "standing": self.standing}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Restore what `state_dict` gave."""
        self.halvings, self.standing = state["halvings"], state["standing"]
