"""What is checked of a preset: that it is an experiment, and that it can begin."""

from __future__ import annotations

import json
from typing import Any

from rnnlab.config.build import load
from rnnlab.config.experiment import Experiment
from rnnlab.config.presets import ABOUT, read_preset
from rnnlab.errors import ConfigError
from rnnlab.execution.dry_run import DryRun
from rnnlab.testing.check import Failed, Skipped, check, expect
from rnnlab.testing.subject import Subject


def _overrides(preset: Subject) -> list[str]:
    given = preset.given.items()
    return [f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in given]


def _experiment(preset: Subject) -> Experiment:
    """The experiment, unless it waits for files of the user's."""
    try:
        return load(preset.name, _overrides(preset), preset.registry)
    except ConfigError as error:
        needs = _about(preset).get("needs")
        wrong = [line for line in error.problems if not line.startswith(("dataset.", "this preset needs"))]
        if needs and not wrong:
            raise Skipped(f"it needs your files; give them: {needs}") from None
        raise Failed("; ".join(wrong or error.problems)) from None


def _about(preset: Subject) -> dict[str, Any]:
    about = read_preset(preset.name, preset.registry).get(ABOUT)
    return about if isinstance(about, dict) else {}


@check("preset", "the file, section by section: 'rnnlab plugins show' lists the options of each plugin")
def valid(preset: Subject) -> None:
    """Its file is an experiment: every plugin is installed, every option is known and right."""
    _experiment(preset)


@check(
    "preset", "the sections that must fit together: stack and cell, encoder and decoder, task and data set"
)
def dry_run(preset: Subject) -> None:
    """Its data are read, its model is built, and it would take steps."""
    try:
        _experiment(preset)
    except Failed:
        raise Skipped("it is no valid experiment") from None
    request = {"do": "size", "source": preset.name, "overrides": _overrides(preset)}
    answer = DryRun(preset.registry).answer(request)
    expect(not answer["problems"], "; ".join(answer["problems"]))
    expect(answer["steps"] > 0 and answer["parameters"] > 0, "it would take no step, or learn nothing")


@check("preset", "about.mode in the file")
def described(preset: Subject) -> None:
    """What it says of itself is so: about.mode is the mode of its task."""
    mode = _about(preset).get("mode")
    given = read_preset(preset.name, preset.registry).get("task")
    name = given.get("type") if isinstance(given, dict) else given
    tasks = {spec.name: spec for spec in preset.registry.specs("task")}
    if name not in tasks:
        raise Skipped("its task is not installed")
    expect(mode, "it has no about.mode; 'rnnlab run --list' shows it")
    own = tasks[name].mode
    expect(mode == own, f"about.mode is {mode!r}, its task {name!r} is {own}")


CHECKS = (valid, dry_run, described)
