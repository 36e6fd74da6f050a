"""What must fit together across sections. An accepted option that changes nothing is an error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from rnnlab.config.draft import Draft
from rnnlab.config.section import StackConfig
from rnnlab.config.training import TrainingConfig
from rnnlab.errors import did_you_mean
from rnnlab.plugins.spec import DatasetSpec, Mode, Spec


def cross_checks(draft: Draft) -> Iterator[str]:
    """A line for each contradiction between sections that are valid by themselves."""
    yield from _modes(draft)
    yield from _decoder(draft)
    yield from _monitor(draft)
    yield from _optimizer(draft)
    yield from _stack(draft)


def _modes(draft: Draft) -> Iterator[str]:
    task, dataset = draft.task, draft.specs.get("dataset")
    if task is None or not isinstance(dataset, DatasetSpec) or task.mode in dataset.modes:
        return
    fitting = [spec for spec in draft.registry.specs("dataset") if task.mode in spec.modes]
    tasks = [spec for spec in draft.registry.specs("task") if spec.mode in dataset.modes]
    remedies = [*_remedy("dataset", fitting), *_remedy("task", tasks)]
    use = f"; use {', or '.join(remedies)}" if remedies else ""
    yield (
        f"dataset: task {task.name!r} takes data sets of mode {task.mode}, "
        f"{dataset.name!r} has {_listed(dataset.modes)}{use}"
    )


def _remedy(section: str, found: Sequence[Spec]) -> Iterator[str]:
    if found:
        yield f"{section}={'|'.join(sorted(spec.name for spec in found))}"


def _listed(modes: tuple[Mode, ...]) -> str:
    return " and ".join(modes)


def _decoder(draft: Draft) -> Iterator[str]:
    if draft.task is not None and not draft.task.decoder and "decoder" in draft.raw:
        using = sorted(spec.name for spec in draft.registry.specs("task") if spec.decoder)
        instead = f", or use a task that has one ({', '.join(using)})" if using else ""
        yield f"decoder: task {draft.task.name!r} has no decoder; remove the section{instead}"


def _monitor(draft: Draft) -> Iterator[str]:
    training = cast(TrainingConfig | None, draft.parts.get("training"))
    if draft.task is None or training is None or training.monitor is None:
        return
    known = sorted({*draft.task.metrics, "loss"})
    if training.monitor not in known:
        yield (
            f"training.monitor: expected a metric of task {draft.task.name!r}, "
            f"got {training.monitor!r}{did_you_mean(training.monitor, known)}"
        )


def _optimizer(draft: Draft) -> Iterator[str]:
    training = cast(TrainingConfig | None, draft.parts.get("training"))
    if training is not None and training.momentum and training.optimizer != "sgd":
        yield (
            f"training.momentum: expected 0 with optimizer {training.optimizer!r}, which has none, "
            f"got {training.momentum}; use training.optimizer=sgd"
        )


def _stack(draft: Draft) -> Iterator[str]:
    stack = cast(StackConfig | None, draft.parts.get("stack"))
    if stack is None:
        return
    yield from stack.problems()
    if stack.recurrent_init != "forget_bias":
        return
    for section in ("cell", "decoder"):
        options = draft.parts.get(section)
        own = getattr(options, "forget_bias", None)
        if own is not None:
            yield (
                f"stack.recurrent_init: expected torch or orthogonal with {section}.forget_bias {own}, which "
                f"sets the same bias, got 'forget_bias'; use {section}.forget_bias=null"
            )
        elif getattr(options, "bias", True) is False:
            yield (
                f"stack.recurrent_init: expected torch or orthogonal with {section}.bias false, "
                f"got 'forget_bias'; use {section}.bias=true"
            )
