"""The contract of a task: the model around the recurrent stack, its loss, its answers and its scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from torch import Tensor, nn

from rnnlab.config.section import Section
from rnnlab.data.batch import Batch
from rnnlab.data.schema import Schema
from rnnlab.recurrent.stack import Stack


class StackBuilder(Protocol):
    """Builds a recurrent stack from the run's `cell` (or `decoder`), `stack` and `backend` sections."""

    def __call__(
        self,
        input_size: int,
        *,
        role: Literal["encoder", "decoder"] = "encoder",
    ) -> Stack:
        """A stack for inputs [T, B, input_size]; a "decoder" has the decoder's cell and reads forwards."""
        ...


class Loss(NamedTuple):
    """A batch's loss.

    Attributes:
        value: scalar, the mean over the batch's `items`.
        items: scalar int64, how many real things were averaged over: rows, labelled steps or target tokens.
            A tensor, so that a GPU need not be waited for at each step.
    """

    value: Tensor
    items: Tensor


@dataclass(frozen=True)
class Evaluation:
    """A batch evaluated.

    Attributes:
        loss: mean loss over `items`.
        items: the weight of this batch's loss in the split's mean.
        predictions: one answer per row: an int (class), or a list of ids (labels, or tokens without eos).
    """

    loss: float
    items: int
    predictions: list[Any]


class Task(nn.Module, ABC):
    """A model for one mode. `__init__` builds it; the trainer calls the rest.

    Scores are computed over a whole split at once, so that no metric is an average of averages.
    """

    def __init__(self, config: Section, schema: Schema, build_stack: StackBuilder) -> None:
        super().__init__()
        self.config = config
        self.schema = schema

    @abstractmethod
    def loss(self, batch: Batch) -> Loss:
        """The training loss; padding and unlabelled steps never count."""

    @abstractmethod
    def evaluate(self, batch: Batch) -> Evaluation:
        """Loss and answers in evaluation mode; called without gradients."""

    @abstractmethod
    def predict(self, batch: Batch) -> list[Any]:
        """One answer per row, in the form of `Evaluation.predictions`; `batch.target` may be None."""

    @abstractmethod
    def score(self, predictions: Sequence[Any], references: Sequence[Any]) -> dict[str, float]:
        """Compare a split's answers with its references.

        Args:
            predictions: one answer per example, as `predict` gives them.
            references: what `EncodedSplit.references` holds: an int, a list of ids with IGNORE, or a list
                of right answers, each a list of ids without eos.

        Returns:
            The metrics that the task's TaskSpec names, less those the data have no use for; `score([], [])`
            tells before training which are left.
        """

    def trace(self, batch: Batch) -> list[dict[str, Tensor]]:
        """Gates per layer and direction, name -> [T, B, H], of the recurrent stack that reads the source."""
        raise NotImplementedError
