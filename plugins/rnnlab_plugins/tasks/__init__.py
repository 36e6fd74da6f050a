"""The built-in tasks, one for each way of using a recurrent net."""

from __future__ import annotations

from collections.abc import Iterator

from rnnlab.api import TaskSpec, hookimpl


@hookimpl
def rnnlab_tasks() -> Iterator[TaskSpec]:
    yield TaskSpec(
        name="sequence_classification",
        target="rnnlab_plugins.tasks.sequence_classification:SequenceClassification",
        config="rnnlab_plugins.tasks.config:SequenceClassificationConfig",
        summary="One class for a whole sequence, from the last, mean or largest hidden state",
        mode="class",
        metrics={"accuracy": "max", "macro_f1": "max"},
        primary="accuracy",
    )
    yield TaskSpec(
        name="sequence_labelling",
        target="rnnlab_plugins.tasks.sequence_labelling:SequenceLabelling",
        config="rnnlab_plugins.tasks.config:SequenceLabellingConfig",
        summary="One label for each step: tagging; span F1 where the labels are BIO",
        mode="synchronous",
        metrics={"accuracy": "max", "macro_f1": "max", "sequence_accuracy": "max", "span_f1": "max"},
        primary="accuracy",
    )
    yield TaskSpec(
        name="sequence_to_sequence",
        target="rnnlab_plugins.tasks.sequence_to_sequence:SequenceToSequence",
        config="rnnlab_plugins.tasks.config:SequenceToSequenceConfig",
        summary="A sequence of its own length: encoder, autoregressive decoder, attention",
        mode="asynchronous",
        metrics={"exact_match": "max", "error_rate": "min", "bleu": "max", "chrf": "max"},
        primary="exact_match",
        decoder=True,
    )
