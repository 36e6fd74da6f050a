"""`rnnlab plugins list` and `show`: what is installed, whether it is healthy, and what it offers."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast, get_args

import click

from rnnlab.errors import InputError
from rnnlab.plugins.spec import Kind, PresetSpec, Spec

if TYPE_CHECKING:
    from rnnlab.cli.app import App
    from rnnlab.plugins.provider import Provider
    from rnnlab.plugins.registry import Registry

KINDS: tuple[Kind, ...] = get_args(Kind)


@click.group()
def plugins() -> None:
    """What is installed, and whether it is healthy."""


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_plugins(app: App, as_json: bool) -> None:
    """Every cell, task, data set, backend, executor and preset, and every plugin with a problem."""
    from rnnlab.cli.tables import print_json, print_table

    registry = app.registry
    rows = [_row(spec, kind, registry) for kind in KINDS for spec in _all(kind, registry)]
    rows += [row for owner in registry.plugins if (row := _lifecycle_row(owner, registry))]
    problems = [asdict(problem) for problem in registry.problems]
    blocked = [owner.plugin for owner in registry.blocked]
    if as_json:
        found = {"plugins": rows, "problems": problems, "blocked": blocked}
        print_json(found)
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
@click.pass_obj
def show(app: App, kind: str, name: str, as_json: bool) -> None:
    """Everything about one plugin: who provides it, its options, and a cell's formula as its source."""
    from rnnlab.cli.tables import print_json, print_table

    registry = app.registry
    spec = registry.lookup(cast(Kind, kind), name)
    facts = _row(spec, cast(Kind, kind), registry) | {"target": spec.target}
    options = _options(spec, kind, registry)
    text = _text(spec, kind, registry)
    if as_json:
        print_json({**facts, "options": options, **text})
        return
    for key, value in facts.items():
        click.echo(f"{key.replace('_', ' '):<12} {value}".rstrip())
    if options:
        click.echo("\noptions")
        print_table(options, ("name", "type", "default", "help"), "")
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
