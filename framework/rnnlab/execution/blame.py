"""Whose code a training run failed in."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnlab.config.experiment import Experiment
from rnnlab.errors import RnnlabError, RunError
from rnnlab.plugins.discovery import OWN_DISTRIBUTION
from rnnlab.plugins.loading import describe
from rnnlab.plugins.registry import Registry


@contextmanager
def naming_plugins(experiment: Experiment, registry: Registry, log: Path) -> Iterator[None]:
    """Around training: what comes out of a plugin's code is an error that names the plugin and its line.

    Args:
        experiment: what is trained.
        registry: the installed plugins.
        log: where the traceback will be, for the message.

    Raises:
        RunError: the code of a plugin of the experiment that is not rnnlab's own raised.
    """
    try:
        yield
    except RnnlabError:
        raise
    except Exception as error:
        choices = (
            experiment.cell,
            experiment.decoder,
            experiment.task,
            experiment.dataset,
            experiment.backend,
        )
        for choice in choices:
            if choice is None or choice.spec is None:
                continue
            built_in = registry.owner(choice.spec).origin == OWN_DISTRIBUTION
            if built_in or not _came_through(error, _package(choice.spec.target)):
                continue
            check = registry.command(f"plugins check {choice.name}")
            raise RunError(
                f"{choice.kind} {choice.name!r} failed: {describe(error)}; see '{check}', or {log}"
            ) from error
        raise


def _came_through(error: BaseException, package: str) -> bool:
    """Whether a line of `package` was running when `error` was raised."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(_package(frame.f_globals.get("__name__", "")) == package for frame in frames)


def _package(target: str) -> str:
    """The top package of "package.module:Object"."""
    return target.partition(":")[0].partition(".")[0]
