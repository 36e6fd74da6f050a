"""From a preset, a file or plain data to a resolved experiment, or to every error in it at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from rnnlab.config import documents, overrides, presets
from rnnlab.config.checks import cross_checks
from rnnlab.config.draft import Draft, Head
from rnnlab.config.experiment import Choice, Experiment
from rnnlab.config.section import StackConfig
from rnnlab.config.training import TrackingConfig, TrainingConfig
from rnnlab.errors import ConfigError
from rnnlab.plugins.registry import Registry


def load(source: str, assignments: Sequence[str], registry: Registry) -> Experiment:
    """The experiment that a preset or a file describes, changed by overrides.

    Args:
        source: a preset's name; or the path of a YAML file, which ends in .yaml or .yml or has a separator.
        assignments: `dotted.key=value` overrides, in any order.
        registry: the installed plugins.

    Raises:
        InputError: there is no such preset or file, or it cannot be read.
        ConfigError: what it says is wrong; `problems` holds every error.
    """
    raw = _read(source, registry)
    needs = (raw.pop(presets.ABOUT, None) or {}).get("needs")
    raw, problems = overrides.apply(raw, assignments)
    try:
        return _build(raw, registry, problems)
    except ConfigError as error:
        if needs and any(problem.startswith("dataset.") for problem in error.problems):
            raise ConfigError([*error.problems, f"this preset needs your files: {needs}"]) from None
        raise


def _read(source: str, registry: Registry) -> dict[str, Any]:
    is_path = source.endswith((".yaml", ".yml")) or any(sep in source for sep in ("/", os.sep))
    if is_path:
        path = Path(source).expanduser()
        raw = documents.read_file(path)
        name = path.stem
    else:
        raw, name = presets.read_preset(source, registry), source
    return {"name": name} | raw


def build(raw: Mapping[str, Any], registry: Registry) -> Experiment:
    """The experiment that plain data describe, for example a run's config.yaml.

    Raises:
        ConfigError: with every error, each one line: `section.key: expected ..., got ...`.
    """
    return _build(raw, registry, [])


def build_executor(raw: Mapping[str, Any], registry: Registry) -> Choice[Any, Any]:
    """The executor that plain data name, whatever else is in them.

    Raises:
        ConfigError: it is not installed, or its options are wrong.
    """
    draft = Draft({"executor": raw.get("executor")}, registry, [])
    draft.require("executor")
    if problems := [problem for problem in draft.problems if problem.startswith("executor")]:
        raise ConfigError(problems)
    return _choice(draft, "executor")


def _build(raw: Mapping[str, Any], registry: Registry, problems: list[str]) -> Experiment:
    draft = Draft(raw, registry, problems)
    for section in ("task", "dataset", "cell", "executor"):
        draft.require(section)
    problems.extend(cross_checks(draft))
    if problems:
        raise ConfigError(problems)
    head = cast(Head, draft.parts[""])
    return Experiment(
        name=head.name,
        description=head.description,
        seed=head.seed,
        task=_choice(draft, "task"),
        dataset=_choice(draft, "dataset"),
        cell=_choice(draft, "cell"),
        decoder=_decoder(draft),
        backend=_choice(draft, "backend"),
        stack=cast(StackConfig, draft.parts["stack"]),
        training=cast(TrainingConfig, draft.parts["training"]),
        tracking=cast(TrackingConfig, draft.parts["tracking"]),
        executor=_choice(draft, "executor"),
    )


def _choice(draft: Draft, section: str) -> Choice[Any, Any]:
    choice = draft.choice(section)
    assert choice is not None, section
    return choice


def _decoder(draft: Draft) -> Choice[Any, Any] | None:
    """The decoder's cell: the one given, or the encoder's, for tasks that have a decoder."""
    if draft.task is None or not draft.task.decoder:
        return None
    return draft.choice("decoder") or _choice(draft, "cell")
