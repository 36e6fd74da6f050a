"""`rnnlab plugins list` and `show`: what is installed, whether it is healthy, and what it offers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, cast, get_args

import click

from rnnlab.cli.app import plugins_dir_option
from rnnlab.cli.plugins_check import check
from rnnlab.cli.plugins_new import new
from rnnlab.plugins.spec import Kind

if TYPE_CHECKING:
    from rnnlab.cli.app import App
    from rnnlab.plugins.entry import Entry
    from rnnlab.plugins.provider import Problem, Provider
    from rnnlab.plugins.registry import Registry

KINDS: tuple[Kind, ...] = get_args(Kind)


@click.group()
@plugins_dir_option
def plugins() -> None:
    """What is installed, and whether it is healthy."""


plugins.add_command(check)
plugins.add_command(new)


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugins_dir_option
@click.pass_obj
def list_plugins(app: App, as_json: bool) -> None:
    """Every cell, task, data set, backend, executor and preset, and every plugin with a problem."""
    from rnnlab.cli.tables import print_json, print_table
    from rnnlab.config.inventory import entries

    registry = app.registry
    found = list(entries(registry))
    rows = [_row(entry) for entry in found]
    rows += [row for owner in registry.plugins if (row := _lifecycle_row(owner, registry))]
    problems = [asdict(problem) for problem in (*registry.problems, *_broken(found))]
    blocked = [owner.plugin for owner in registry.blocked]
    if as_json:
        print_json({"plugins": rows, "problems": problems, "blocked": blocked})
        return
    print_table(
        rows, ("kind", "name", "health", "provided_by", "version", "summary"), "no plugin is installed"
    )
    if problems:
        click.echo(f"\n{len(problems)} problem{'s' if len(problems) > 1 else ''}")
        print_table(problems, ("plugin", "origin", "version", "reason", "remedy"), "")
    if blocked:
        click.echo(f"\nleft out, as third-party plugins are off: {', '.join(blocked)}")


@plugins.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugins_dir_option
@click.pass_obj
def show(app: App, kind: str, name: str, as_json: bool) -> None:
    """Everything about one plugin: who provides it, its options, and a cell's formula as its source."""
    from rnnlab.cli.tables import print_json, print_table
    from rnnlab.config.inventory import describe

    registry = app.registry
    spec = registry.lookup(cast(Kind, kind), name)
    entry = describe(spec, cast(Kind, kind), registry, load=True)
    facts = _row(entry) | {"target": entry.target}
    if entry.reason:
        facts |= {"reason": entry.reason, "remedy": entry.remedy}
    options = _options(entry)
    if as_json:
        print_json({**facts, "options": options, "entry": entry.to_dict(), **_text(entry)})
        return
    for key, value in facts.items():
        click.echo(f"{key.replace('_', ' '):<12} {value}".rstrip())
    if options:
        click.echo("\noptions")
        print_table(options, ("name", "type", "default", "help"), "")
    for heading, body in _text(entry).items():
        click.echo(f"\n{heading}\n{body}")


def _broken(found: Iterable[Entry]) -> Iterator[Problem]:
    """What is wrong with registered objects whose options cannot be read."""
    from rnnlab.plugins.provider import Problem

    for entry in found:
        if entry.health == "broken":
            yield Problem(entry.plugin, entry.origin, entry.version, "register", entry.reason, entry.remedy)


def _row(entry: Entry) -> dict[str, str]:
    return {
        "kind": entry.kind,
        "name": entry.name,
        "health": entry.reason if entry.health == "unavailable" else entry.health,
        "provided_by": entry.origin,
        "version": entry.version,
        "summary": entry.summary,
    }


def _lifecycle_row(owner: Provider, registry: Registry) -> dict[str, str] | None:
    hooks = registry.lifecycle_hooks(owner)
    if not hooks:
        return None
    return {
        "kind": "hooks",
        "name": owner.plugin,
        "health": "ok",
        "provided_by": owner.origin,
        "version": owner.version,
        "summary": ", ".join(hooks),
    }


def _options(entry: Entry) -> list[dict[str, str]]:
    from rnnlab.config.schemas import options

    return [asdict(option) for option in options(entry.options or {})]


def _text(entry: Entry) -> dict[str, str]:
    """Heading -> text: a class's docstring, the source of a cell's step, a preset's file."""
    text = {"about": entry.docs, "step": entry.step, "file": entry.file.rstrip()}
    return {heading: body for heading, body in text.items() if body}
