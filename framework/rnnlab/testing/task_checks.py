"""The checks of a task: its loss, its answers, its scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rnnlab.data.batch import IGNORE
from rnnlab.recurrent.stack import Stack
from rnnlab.testing.cells import EXACT, saved_and_loaded, seeded
from rnnlab.testing.check import Skipped, check, expect, expect_same
from rnnlab.testing.tasks import Setting, TaskSubject, gradients, one_by_one, padded
from rnnlab.training.evaluation import samples


@check(
    "task", "__init__ and loss: what is built for a cell's states and widths, and what no gradient reaches"
)
def cells(task: TaskSubject) -> None:
    """It trains with each installed cell: a finite loss, and a gradient for every parameter."""
    for setting in task.settings(every_cell=True):
        model = setting.task.train()
        with seeded(0):
            loss = model.loss(setting.batch)
            found = gradients(model, setting.batch)
        expect(
            loss.value.dim() == 0, f"{setting.label}: the loss must be a scalar, got {list(loss.value.shape)}"
        )
        expect(bool(loss.value.isfinite()), f"{setting.label}: the loss is {loss.value.item()}")
        inside = [name for name, module in model.named_modules() if isinstance(module, Stack)]
        expect(inside, f"{setting.label}: it has no recurrent stack; make one with build_stack and keep it")
        missing = [
            name
            for name, gradient in found.items()
            if gradient is None and not any(name.startswith(f"{stack}.") for stack in inside)
        ]
        missing += [
            f"{stack} (the recurrent stack)"
            for stack in inside
            if all(gradient is None for name, gradient in found.items() if name.startswith(f"{stack}."))
        ]
        expect(not missing, f"{setting.label}: no gradient reaches {', '.join(missing)}")


@check(
    "task", "loss, evaluate and predict: mask by batch.lengths, and count only targets that are not IGNORE"
)
def padding(task: TaskSubject) -> None:
    """More padding, and garbage in it, changes neither loss, nor gradients, nor answers."""
    for setting in task.settings():
        model, batch = setting.task, setting.batch
        longer = padded(batch, 3)
        expected = {"loss": model.loss(batch).value, **_found(gradients(model, batch))}
        got = {"loss": model.loss(longer).value, **_found(gradients(model, longer))}
        expect_same(got, expected, EXACT, f"{setting.label}, 3 more steps of padding")
        with torch.no_grad():
            ours, theirs = model.predict(batch), model.predict(longer)
        _expect_answers(theirs, ours, f"{setting.label}, 3 more steps of padding")


def _found(named: dict[str, Tensor | None]) -> dict[str, Tensor]:
    return {f"gradient of {name}": each for name, each in named.items() if each is not None}


def _expect_answers(got: Sequence[Any], expected: Sequence[Any], what: str) -> None:
    for row, pair in enumerate(zip(got, expected, strict=True)):
        expect(pair[0] == pair[1], f"{what}: row {row} is answered {pair[0]}, expected {pair[1]}")


@check("task", "the model: an operation over the batch's dimension; and what loss.items counts")
def batch(task: TaskSubject) -> None:
    """A batch's loss is the mean over its items of the rows' losses, and its answers are theirs."""
    for setting in task.settings():
        model = setting.task
        with torch.no_grad():
            whole, answers = model.evaluate(setting.batch), model.predict(setting.batch)
            rows = [model.evaluate(each) for each in one_by_one(setting.split)]
            alone = [answer for each in one_by_one(setting.split) for answer in model.predict(each)]
        items = sum(row.items for row in rows)
        expect(whole.items == items, f"{setting.label}: {whole.items} items at once, {items} one by one")
        mean = sum(row.loss * row.items for row in rows) / max(items, 1)
        expect_same(
            {"loss": torch.tensor(whole.loss)},
            {"loss": torch.tensor(mean)},
            1e-6,
            f"{setting.label}, one by one",
        )
        _expect_answers(answers, alone, f"{setting.label}, all rows at once")


@check(
    "task",
    "evaluate and predict: both answer in evaluation mode, in the form that Evaluation.predictions says",
)
def answers(task: TaskSubject) -> None:
    """predict gives what evaluate gives, one answer for each row, without a target; samples can be shown."""
    for setting in task.settings():
        model, given = setting.task, setting.batch
        with torch.no_grad():
            evaluated = model.evaluate(given).predictions
            bare = type(given)(given.source, given.lengths, None, None, given.indices)
            predicted = model.predict(bare)
        expect(
            len(predicted) == len(setting.split),
            f"{setting.label}: {len(predicted)} answers for {len(given.lengths)} rows",
        )
        for row, (answer, length) in enumerate(zip(predicted, given.lengths.tolist(), strict=True)):
            wrong = _form(task.spec.mode, answer, length, len(setting.split.schema.target))
            expect(not wrong, f"{setting.label}, row {row}: {wrong}, got {answer!r}")
        _expect_answers(predicted, evaluated, f"{setting.label}, predict beside evaluate")
        samples(setting.split, predicted, setting.split.schema, len(setting.split))


def _form(mode: str, answer: object, length: int, size: int) -> str:
    if mode == "class":
        right = type(answer) is int and 0 <= answer < size
        return "" if right else f"expected a class, an int from 0 to {size - 1}"
    if not isinstance(answer, list) or not all(type(each) is int and 0 <= each < size for each in answer):
        return f"expected a list of ids, ints from 0 to {size - 1}"
    if mode == "synchronous" and len(answer) != length:
        return f"expected {length} labels, one for each step"
    return ""


@check("task", "score, beside the names in the TaskSpec's metrics and primary")
def metrics(task: TaskSubject) -> None:
    """score gives the metrics that its record names, finite, for an empty split too."""
    known = set(task.spec.metrics)
    for setting in task.settings():
        scores = setting.task.score([], [])
        for what, found in (
            ("of nothing", scores),
            ("of right answers", setting.task.score(*_right(setting))),
        ):
            foreign = sorted(set(found) - known)
            expect(
                not foreign,
                f"{setting.label}: score {what} gives {', '.join(foreign)}, which the record does not name",
            )
            odd = {name: value for name, value in found.items() if not abs(value) < float("inf")}
            expect(not odd, f"{setting.label}: score {what} is not finite: {odd}")
            expect(
                task.spec.primary in {*found, "loss"},
                f"{setting.label}: score {what} lacks the primary metric {task.spec.primary!r}",
            )
            expect(
                set(found) == set(scores),
                f"{setting.label}: score([], []) must name the metrics that the data have",
            )


def _right(setting: Setting) -> tuple[list[Any], list[Any]]:
    """Right answers, and the references they are right for."""
    references = setting.split.references
    mode = setting.split.schema.mode
    if mode == "class":
        return list(references), references
    if mode == "synchronous":
        return [[0 if label == IGNORE else label for label in row] for row in references], references
    return [list(rights[0]) for rights in references], references


@check("task", 'the record\'s metrics: "max" where more is better, "min" where less is; and score')
def directions(task: TaskSubject) -> None:
    """Right answers have a better score than wrong ones, in the direction that each metric declares."""
    for setting in task.settings():
        right, references = _right(setting)
        size = len(setting.split.schema.target)
        wrong = [
            (each + 1) % size if isinstance(each, int) else [(token + 1) % size for token in each]
            for each in right
        ]
        best, worst = setting.task.score(right, references), setting.task.score(wrong, references)
        for name, better in task.spec.metrics.items():
            if name in best:
                sign = 1 if better == "max" else -1
                expect(
                    sign * best[name] > sign * worst[name],
                    f"{setting.label}: {name} is declared {better!r}, and is {best[name]:.4g} for right "
                    f"answers, {worst[name]:.4g} for wrong ones",
                )


@check("task", "__init__: all that is learned or drawn must be a parameter, a buffer or in a submodule")
def save_load(task: TaskSubject) -> None:
    """A checkpoint read into another model of the same options gives the same loss and answers."""
    for setting, other in zip(task.settings(seed=0), task.settings(seed=1), strict=True):
        saved_and_loaded(setting.task, other.task)
        with torch.no_grad():
            got, expected = other.task.evaluate(setting.batch), setting.task.evaluate(setting.batch)
        expect(
            got == expected,
            f"{setting.label}: after loading its checkpoint the loss is {got.loss:.6g}, "
            f"expected {expected.loss:.6g}",
        )


@check("task", "__init__ and loss: draw from torch's, numpy's or python's global generators only")
def seed(task: TaskSubject) -> None:
    """One seed gives one model, one training loss and the same gradients."""
    for setting, again in zip(task.settings(seed=0), task.settings(seed=0), strict=True):
        runs: list[dict[str, Tensor]] = []
        for model in (setting.task.train(), again.task.train()):
            with seeded(5):
                loss = model.loss(setting.batch).value
                runs.append(
                    {
                        **dict(model.named_parameters()),
                        "loss": loss,
                        **_found(gradients(model, setting.batch)),
                    }
                )
        expect_same(runs[1], runs[0], 0.0, f"{setting.label}, made twice with one seed")


@check("task", "trace: the stack's own, with the lengths; one mapping for each layer and direction")
def trace(task: TaskSubject) -> None:
    """What it shows of its stack's gates has a number for each step and row, zero past a row's length."""
    for setting in task.settings():
        given = setting.batch
        try:
            with torch.no_grad():
                shown = setting.task.trace(given)
        except NotImplementedError:
            raise Skipped("it shows no gates; see Task.trace") from None
        expect(shown, f"{setting.label}: nothing is shown")
        ended = torch.arange(len(given.source))[:, None] >= given.lengths
        shape = list(given.source.shape[:2])
        for name, value in ((name, value) for layer in shown for name, value in layer.items()):
            expect(
                list(value.shape[:2]) == shape,
                f"{setting.label}: {name} must be {[*shape, 'H']}, got {list(value.shape)}",
            )
            expect(not bool(value[ended].any()), f"{setting.label}: {name} is not zero past a row's length")


CHECKS = (cells, padding, batch, answers, metrics, directions, save_load, seed, trace)
