"""The fields that choose a plugin: every one of its kind, and why some cannot be chosen now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rnnlab.dashboard.catalogue.catalogue import Catalogue
from rnnlab.dashboard.form.base import AUTO
from rnnlab.dashboard.form.field import Field, Option
from rnnlab.plugins.entry import Entry
from rnnlab.plugins.spec import Kind

KIND_OF_SECTION: Mapping[str, Kind] = {
    "task": "task",
    "dataset": "dataset",
    "cell": "cell",
    "decoder": "cell",
    "backend": "backend",
    "executor": "executor",
}

_HELP = {
    "task": "What is learned from the examples.",
    "dataset": "Where the examples come from.",
    "cell": "The recurrent cell.",
    "decoder": "The decoder's cell; by default the encoder's, with its options.",
    "backend": "What runs the cell; auto takes the fastest that can.",
    "executor": "Where the run runs.",
}


def choice_field(section: str, catalogue: Catalogue, task: Entry | None, chosen: str | None) -> Field:
    """The field that chooses the plugin of a section.

    Args:
        section: its key.
        catalogue: what there is.
        task: the task chosen, which data sets must fit.
        chosen: what is chosen now, which may not be installed.
    """
    kind = KIND_OF_SECTION[section]
    options = [_option(entry, task) for entry in catalogue.of(kind)]
    options.sort(key=lambda option: bool(option.problem))  # stable: what can be chosen comes first
    options = [*_special(section), *options]
    if chosen is not None and chosen not in [option.value for option in options]:
        options.append(Option(chosen, chosen, problem=f"no {kind} {chosen!r} is installed"))
    usable = [option.label for option in options if not option.problem]
    return Field(
        key=section,
        section=section,
        name="",
        kind="choice",
        title=section,
        help=_HELP[section],
        expected=f"one of {', '.join(usable)}" if usable else f"a {kind}, and none is installed",
        default=options[0].value if options else None,
        required=section in ("task", "dataset", "cell"),
        nullable=section == "decoder",
        options=tuple(options),
    )


def _special(section: str) -> Iterator[Option]:
    if section == "decoder":
        yield Option(None, "as the encoder", "The encoder's cell, with its options")
    if section == "backend":
        yield Option(AUTO, AUTO, "The highest-ranked backend that supports the cell")


def _option(entry: Entry, task: Entry | None) -> Option:
    problem = f"{entry.reason}; {entry.remedy}" if entry.health != "ok" else ""
    if entry.kind == "dataset" and task is not None and not set(entry.modes) & set(task.modes):
        has = " and ".join(entry.modes)
        problem = problem or f"it has mode {has}, and task {task.name!r} takes {' and '.join(task.modes)}"
    return Option(entry.name, entry.name, entry.summary, problem)
