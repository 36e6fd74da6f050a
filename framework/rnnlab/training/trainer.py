"""The training loop of one run."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from rnnlab.config.training import TrainingConfig
from rnnlab.data.batch import Batch
from rnnlab.data.batches import Batcher
from rnnlab.data.encoding import EncodedData
from rnnlab.errors import InputError, RunError, in_words
from rnnlab.training import checkpoint
from rnnlab.training.checkpoint import Progress
from rnnlab.training.control import StopRequest
from rnnlab.training.evaluation import evaluate, samples
from rnnlab.training.inspection import Inspection, due
from rnnlab.training.report import Report
from rnnlab.training.schedule import Schedule, make_optimizer
from rnnlab.training.task import Task


class Trainer:
    """Trains a task on its data until the plan is done, the score stands still, or somebody says stop.

    Attributes:
        progress: how far training has come; `resume` sets it from a checkpoint.
        total_steps: optimizer steps planned.
    """

    def __init__(
        self,
        task: Task,
        data: EncodedData,
        config: TrainingConfig,
        *,
        seed: int,
        monitor: str,
        better: str,
        checkpoints: Path,
        report: Report,
        stop: StopRequest,
        inspection: Inspection | None = None,
    ) -> None:
        """
        Args:
            task: the model, on the device it will be trained on.
            data: encoded splits; "train" is learned from, "val" watched, "test" scored once at the end.
            config: the training section.
            seed: of the order of the examples.
            monitor: the validation metric that picks the best checkpoint.
            better: "max" or "min" of it.
            checkpoints: the folder checkpoints are written to.
            report: where metrics, samples and checkpoints are reported.
            stop: read between steps.
            inspection: the example whose gates are reported at each evaluation; None for no such reports.

        Raises:
            InputError: `monitor` is a metric of the task that these data have no use for.
        """
        self.task, self.data, self.config = task, data, config
        self.monitor, self.better = monitor, better
        self.checkpoints, self.report, self.stop = checkpoints, report, stop
        self._inspection = inspection
        known = {"loss", *task.score([], [])}
        if monitor not in known:
            raise InputError(
                f"training.monitor: expected a metric that these data have ({', '.join(sorted(known))}), "
                f"got {monitor!r}"
            )
        self.device = next(task.parameters()).device
        self.batches = Batcher(data.splits["train"], config.batch_size, seed)
        planned = len(self.batches) * config.epochs
        self.total_steps = min(planned, config.max_steps or planned)
        self.eval_every = config.eval_every or len(self.batches)
        self.optimizer = make_optimizer(task.parameters(), config)
        self.schedule = Schedule(self.optimizer, config, self.total_steps)
        self.progress = Progress()
        self._window = Window(self.device)

    def resume(self) -> None:
        """Go on from the last checkpoint, exactly: weights, optimizer, random states, place in the data."""
        last = self.checkpoints / "last"
        checkpoint.load_weights(last, self.task)
        state, self.progress = checkpoint.load_training(last)
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])

    def train(self) -> tuple[str, str]:
        """Train to the end.

        Returns:
            The state to record, "finished" or "stopped", and the reason in words.

        Raises:
            RunError: the loss is not a finite number; the last good checkpoint is kept.
        """
        clock = Clock(self.progress)
        self.task.train()
        for batch in self._remaining_batches():
            self._step(batch)
            if self.progress.step % self.config.log_every == 0:
                self._log()
            if self.progress.step % self.eval_every == 0 or self.progress.step == self.total_steps:
                clock.update()
                self._evaluate()
                if self.config.patience and self.progress.standing >= self.config.patience:
                    return "finished", f"no better {self.monitor} in {self.progress.standing} evaluations"
            if self.stop:
                self._log()
                clock.update()
                self._save(best=False)
                return "stopped", self.stop.reason
        clock.update()
        return "finished", f"all {self.total_steps} steps done"

    def score(self, split: str) -> dict[str, float]:
        """Scores of the best checkpoint on `split`, reported as `<split>/<metric>`."""
        checkpoint.load_weights(self.checkpoints / "best", self.task)
        scores, predictions = evaluate(
            self.task, self.data.splits[split], self.config.eval_batch_size, self.device
        )
        self.report.scores(self.progress, split, scores)
        shown = samples(self.data.splits[split], predictions, self.data.schema, self.config.samples)
        self.report.samples(self.progress, split, shown)
        return scores

    def _remaining_batches(self) -> Iterator[Batch]:
        progress = self.progress
        while progress.step < self.total_steps:
            for batch in self.batches.epoch(progress.epoch, start=progress.batch):
                progress.batch += 1
                if progress.batch == len(self.batches):
                    progress.epoch, progress.batch = progress.epoch + 1, 0
                progress.step += 1
                yield batch
                if progress.step >= self.total_steps:
                    return

    def _step(self, batch: Batch) -> None:
        rate = self.schedule.apply(self.progress.step - 1)
        loss = self.task.loss(batch.to(self.device))
        self.optimizer.zero_grad(set_to_none=True)
        loss.value.backward()
        gradients = [p.grad for p in self.task.parameters() if p.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        if self.config.clip_grad_norm:
            nn.utils.clip_grads_with_norm_(self.task.parameters(), self.config.clip_grad_norm, norm)
        self.optimizer.step()
        self._window.add(loss.value.detach(), loss.items, norm, batch.tokens, rate)

    def _log(self) -> None:
        if not self._window.steps:
            return
        steps = self._window.steps
        values = self._window.drain()
        loss, norm = values["train/loss"], values["train/grad_norm"]
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise self._diverged(f"mean loss {loss}, gradient norm {norm} over the last {steps} steps")
        self.report.interval(self.progress, self._epoch(), values)

    def _diverged(self, what: str) -> RunError:
        return RunError(
            f"the loss is not finite: {what}, step {self.progress.step}; the last good checkpoint is kept; "
            "start again with a lower training.learning_rate or training.clip_grad_norm"
        )

    def _evaluate(self) -> None:
        self._log()
        split = self.data.splits["val"]
        scores, predictions = evaluate(self.task, split, self.config.eval_batch_size, self.device)
        progress = self.progress
        score = scores[self.monitor]
        if not (math.isfinite(scores["loss"]) and math.isfinite(score)):
            raise self._diverged(f"validation loss {scores['loss']}, {self.monitor} {score}")
        sign = 1.0 if self.better == "max" else -1.0
        improved = progress.best is None or sign * score > sign * progress.best
        if improved:
            progress.best, progress.best_step, progress.standing = score, progress.step, 0
        else:
            progress.standing += 1
        self.schedule.observe(improved)
        self.report.scores(progress, "val", scores, best=improved)
        self.report.samples(
            progress, "val", samples(split, predictions, self.data.schema, self.config.samples)
        )
        self._inspect()
        self._save(best=improved)
        self._window.restart()

    def _inspect(self) -> None:
        step = self.progress.step
        if self._inspection is None or not (due(step // self.eval_every) or step == self.total_steps):
            return
        try:
            layers = self._inspection.look(self.task)
        except NotImplementedError:
            self._inspection = None
        except Exception as error:  # whatever a plugin's trace raises: a picture is not worth a run
            self._inspection = None
            text = f"the task's trace raised {in_words(error)}; the run goes on without pictures of its gates"
            self.report.message("warning", text, step)
        else:
            self.report.gates(self.progress, "val", self._inspection.source, layers)

    def _save(self, best: bool) -> None:
        state = {"optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict()}
        path = checkpoint.save(self.checkpoints, self.task, state, self.progress, best)
        self.report.checkpoint(self.progress, path, best)

    def _epoch(self) -> float:
        return self.progress.epoch + self.progress.batch / len(self.batches)


class Window:
    """Sums over the steps since the last log; on a GPU nothing is waited for until `drain`."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.restart()

    def restart(self) -> None:
        """Forget the sums and start the clock."""
        self._loss, self._norm, self._items = torch.zeros(3, dtype=torch.float64, device=self._device)
        self.steps, self._tokens, self._rate = 0, 0, 0.0
        self._since = time.perf_counter()

    def add(self, loss: Tensor, items: Tensor, norm: Tensor, tokens: int, rate: float) -> None:
        """Take in one step: its mean loss over `items`, gradient norm, source tokens, learning rate."""
        self._loss = self._loss + loss * items
        self._norm = self._norm + norm
        self._items = self._items + items
        self.steps, self._tokens, self._rate = self.steps + 1, self._tokens + tokens, rate

    def drain(self) -> dict[str, float]:
        """Means over the window (loss per item, norm per step), and a new window begins."""
        seconds = time.perf_counter() - self._since
        values = {
            "train/loss": (self._loss / self._items.clamp(min=1)).item(),
            "train/grad_norm": self._norm.item() / self.steps,
            "train/learning_rate": self._rate,
            "train/tokens_per_second": self._tokens / seconds,
        }
        self.restart()
        return values


class Clock:
    """Adds wall and processor time of this process's training to `Progress`."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def update(self) -> None:
        """Bring the progress up to now."""
        wall, cpu = time.perf_counter(), time.process_time()
        self._progress.seconds += wall - self._wall
        self._progress.cpu_seconds += cpu - self._cpu
        self._wall, self._cpu = wall, cpu
