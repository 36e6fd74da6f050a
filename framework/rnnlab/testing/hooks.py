"""What is checked of lifecycle hooks: called as in a run, they neither raise nor change it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from rnnlab.lab.run import RunInfo
from rnnlab.plugins import discovery
from rnnlab.plugins.loading import describe
from rnnlab.plugins.registry import Registry
from rnnlab.testing.check import check, expect
from rnnlab.testing.subject import Subject
from rnnlab.training.checkpoint import random_state, restore_random

CONFIG = {
    "name": "conformance",
    "description": "",
    "seed": 1,
    "task": {"type": "some-task"},
    "dataset": {"type": "some-data"},
    "cell": {"type": "some-cell"},
    "backend": {"type": "auto"},
    "stack": {"hidden_size": 8, "num_layers": 1},
    "training": {"epochs": 1},
    "tracking": {"enabled": False},
    "executor": {"type": "local"},
}

Call = tuple[str, dict[str, Any]]


@contextmanager
def _run() -> Iterator[tuple[RunInfo, list[Call]]]:
    """A run that never was, in a folder of its own, and what hooks hear of it."""
    with TemporaryDirectory() as folder:
        run = RunInfo("conformance-0101-000000-abcd", Path(folder), copy.deepcopy(CONFIG))
        saved = run.path / "checkpoints" / "step-20"
        saved.mkdir(parents=True)
        yield (
            run,
            [
                ("rnnlab_run_start", {}),
                ("rnnlab_interval", {"step": 20, "metrics": {"train/loss": 1.5, "train/grad_norm": 0.3}}),
                ("rnnlab_eval_end", {"split": "val", "step": 20, "metrics": {"loss": 1.4, "accuracy": 0.5}}),
                ("rnnlab_checkpoint", {"path": saved, "step": 20}),
                ("rnnlab_eval_end", {"split": "test", "step": 20, "metrics": {"loss": 1.4, "accuracy": 0.5}}),
                ("rnnlab_run_end", {"state": "finished", "reason": "all 20 steps done"}),
                # Resumed, and ended otherwise.
                ("rnnlab_run_start", {}),
                ("rnnlab_run_end", {"state": "failed", "reason": "the loss is not finite"}),
            ],
        )


class HooksSubject(Subject):
    """The lifecycle hooks of one plugin."""

    @cached_property
    def alone(self) -> Registry:
        """This plugin and no other: the hooks of others may send mail."""
        registry = Registry()
        for candidate in (*discovery.installed(), *discovery.local(self.registry.plugins_dirs)):
            if candidate.provider == self.provider:
                registry.register(candidate.load(), candidate.provider)
        return registry


def _call(hooks: HooksSubject, call: Call, run: RunInfo, on_error: Callable[[Exception], None]) -> None:
    """One hook of this plugin, as a run calls it."""
    name, arguments = call
    hooks.alone.lifecycle(name, lambda _, error: on_error(error), run=run, **arguments)


@check("hooks", "the hook named, with the arguments it would get in a run")
def called(hooks: HooksSubject) -> None:
    """Each hook can be called as a run calls it, in its order, and raises nothing."""
    raised: list[str] = []
    with _run() as (run, calls):
        for call in calls:
            _call(
                hooks,
                call,
                run,
                lambda error, name=call[0]: raised.append(f"{name} raised {describe(error)}"),
            )
    expect(not raised, "; ".join(dict.fromkeys(raised)))


@check(
    "hooks",
    "what the hook draws or seeds: give it a generator of its own (random.Random(), torch.Generator())",
)
def random_states(hooks: HooksSubject) -> None:
    """The hooks leave the random states as they are: a run draws what it draws without them."""
    changed = []
    before = random_state()
    try:
        with _run() as (run, calls):
            for call in calls:
                restore_random(before)
                _call(hooks, call, run, lambda error: None)
                after = random_state()
                changed += [
                    f"{call[0]} changes {name}'s"
                    for name in ("torch", "python", "numpy")
                    if _differ(after[name], before[name])
                ]
    finally:
        restore_random(before)
    expect(not changed, "; ".join(dict.fromkeys(changed)))


def _differ(one: Any, other: Any) -> bool:
    return not torch.equal(one, other) if isinstance(one, torch.Tensor) else one != other


@check("hooks", "the hook named: what it is given is the run's own; copy before changing")
def read_only(hooks: HooksSubject) -> None:
    """The hooks leave the run's config, its metrics and torch's settings as they are."""
    with _run() as (run, calls):
        for name, arguments in calls:
            given = copy.deepcopy((run.config, arguments))
            settings = torch.is_grad_enabled(), torch.get_num_threads(), torch.get_default_dtype()
            _call(hooks, (name, arguments), run, lambda error: None)
            changed = [
                what
                for what, same in (
                    ("run.config", run.config == given[0]),
                    ("metrics", arguments == given[1]),
                    (
                        "torch's settings",
                        settings
                        == (torch.is_grad_enabled(), torch.get_num_threads(), torch.get_default_dtype()),
                    ),
                )
                if not same
            ]
            torch.set_grad_enabled(settings[0])
            torch.set_num_threads(settings[1])
            torch.set_default_dtype(settings[2])
            expect(not changed, f"{name} changes {', '.join(changed)}")


CHECKS = (called, random_states, read_only)
