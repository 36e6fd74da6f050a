"""`rnnlab plugins list` and `show`: what is installed, whether it is healthy, and what it offers."""

from __future__ import annotations

import inspect
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast, get_args

import click

from rnnlab.errors import InputError
from rnnlab.plugins.spec import Kind, PresetSpec, Spec

if TYPE_CHECKING:
    from rich.console import Console

    from rnnlab.cli.app import App
    from rnnlab.plugins.provider import Provider
    from rnnlab.plugins.registry import Registry

KINDS: tuple[Kind, ...] = get_args(Kind)
_UNBOUNDED = 100_000
"""Columns of a pipe: nothing is wrapped or cut there."""


@click.group()
def plugins() -> None:
    """What is installed, and whether it is healthy."""


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_plugins(app: App, as_json: bool) -> None:
    """Every cell, task, data set, backend, executor and preset, and every plugin with a problem."""
    registry = app.registry
    rows = [_row(spec, kind, registry) for kind in KINDS for spec in _all(kind, registry)]
    rows += [row for owner in registry.plugins if (row := _lifecycle_row(owner, registry))]
    problems = [asdict(problem) for problem in registry.problems]
    blocked = [owner.plugin for owner in registry.blocked]
    if as_json:
        found = {"plugins": rows, "problems": problems, "blocked": blocked}
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    console = _console()
    _table(console, rows, ("kind", "name", "health", "provided_by", "version", "summary"))
    if problems:
        console.print(f"\n{len(problems)} problem{'s' if len(problems) > 1 else ''}")
        _table(console, problems, ("plugin", "origin", "version", "reason", "remedy"))
    if blocked:
        console.print(f"\nleft out, as third-party plugins are off: {', '.join(blocked)}")


@plugins.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(app: App, kind: str, name: str, as_json: bool) -> None:
    """Everything about one plugin: who provides it, its options, and a cell's formula as its source."""
    registry = app.registry
    spec = registry.lookup(cast(Kind, kind), name)
    facts = _row(spec, cast(Kind, kind), registry) | {"target": spec.target}
    options = _options(spec, kind, registry)
    text = _text(spec, kind, registry)
    if as_json:
        click.echo(json.dumps({**facts, "options": options, **text}, ensure_ascii=False, indent=2))
        return
    console = _console()
    for key, value in facts.items():
        console.print(f"{key.replace('_', ' '):<12} {value}".rstrip(), soft_wrap=True)
    if options:
        console.print("\noptions")
        _table(console, options, ("name", "type", "default", "help"))
    for heading, body in text.items():
        click.echo(f"\n{heading}\n{body}")


def _all(kind: Kind, registry: Registry) -> list[Spec]:
    return [*registry.specs(kind), *registry.unavailable(kind)]


def _row(spec: Spec, kind: Kind, registry: Registry) -> dict[str, str]:
    origin, version = registry.provider(spec)
    lacking = registry.missing(spec)
    return {
        "kind": kind,
        "name": spec.name,
        "health": f"needs {', '.join(lacking)}" if lacking else "ok",
        "provided_by": origin,
        "version": version,
        "summary": spec.summary or _preset_summary(spec),
    }


def _preset_summary(spec: Spec) -> str:
    if not isinstance(spec, PresetSpec):
        return ""
    from rnnlab.config.presets import describe

    return describe(spec).summary


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


def _options(spec: Spec, kind: str, registry: Registry) -> list[dict[str, str]]:
    if kind == "preset":
        return []
    from rnnlab.config.wording import options

    return [asdict(option) for option in options(registry.config_model(spec))]


def _text(spec: Spec, kind: str, registry: Registry) -> dict[str, str]:
    """Heading -> text: a class's docstring, the source of a cell's step, a preset's file."""
    if kind == "preset":
        from rnnlab.config.presets import preset_text

        return {"file": preset_text(spec).rstrip()}
    if registry.missing(spec):
        return {}
    try:
        found = registry.load(spec)
    except InputError as error:
        return {"cannot be loaded": str(error)}
    text = {"about": inspect.getdoc(found) or ""}
    if kind == "cell":
        text["step"] = _source(found.step)
    return {heading: body for heading, body in text.items() if body}


def _source(function: Any) -> str:
    try:
        return inspect.cleandoc("\n" + inspect.getsource(function))
    except OSError:  # a plugin shipped without its source
        return ""


def _console() -> Console:
    """Standard output, plain: as wide as need be in a pipe, folded to the window on a terminal."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else _UNBOUNDED
    return Console(width=width, markup=False, highlight=False, emoji=False)


def _table(console: Console, rows: list[dict[str, str]], columns: tuple[str, ...]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold", header_style="bold")
    for row in rows:
        table.add_row(*(row[column] or "-" for column in columns))
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())
