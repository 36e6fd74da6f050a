"""`rnnlab run`, `resume` and `stop`."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import nullcontext
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rnnlab.cli.app import App, plugins_dir_option

if TYPE_CHECKING:
    from rnnlab.cli.follow import Following
    from rnnlab.config.experiment import Experiment


class RunCommand(click.Command):
    """A command that knows what somebody means who writes `--epochs 2` for training.epochs=2."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, with the way of writing a run's options where there is no such option."""
        given = [part for word in args for part in word.split("=", 1)]  # before click takes them away
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise click.UsageError(self._no_such(error.option_name, given), ctx) from None

    def _no_such(self, option: str, given: list[str]) -> str:
        from rnnlab.config.draft import CORE_SECTIONS

        key = option.strip("-").replace("-", "_")
        homes = [name for name, model in CORE_SECTIONS.items() if key in model.model_fields]
        if not homes:
            known = [name for parameter in self.params for name in parameter.opts if name.startswith("--")]
            if near := get_close_matches(option, known, n=1):
                return f"no option {option!r}; did you mean {near[0]!r}?"
            return f"no option {option!r}; options of a run are written training.epochs=2"
        following = [value for word, value in pairwise(given) if word == option]
        value = next((value for value in following if not value.startswith("-")), "VALUE")
        return f"no option {option!r}; options of a run are written {homes[0]}.{key}={value}"


@click.command(cls=RunCommand)
@click.argument("source", metavar="PRESET|FILE", required=False)
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--detach", is_flag=True, help="Return at once; the run goes on by itself.")
@click.option("--dry-run", is_flag=True, help="Print the resolved experiment and its size; train nothing.")
@click.option(
    "--list", "list_presets", is_flag=True, help="List the presets with mode, data and expected score."
)
@click.option("--json", "as_json", is_flag=True, help="With --list or --detach: print JSON.")
@plugins_dir_option
@click.pass_obj
def run(
    app: App,
    source: str | None,
    overrides: tuple[str, ...],
    detach: bool,
    dry_run: bool,
    list_presets: bool,
    as_json: bool,
) -> None:
    """Train a preset or an experiment file, with any option changed by KEY=VALUE.

    \b
    rnnlab run digits
    rnnlab run digits cell=rnn stack.hidden_size=64 training.epochs=5
    rnnlab run trec dataset.train=train.txt dataset.test=test.txt
    rnnlab run runs/<id>/config.yaml seed=1        the same run with another seed

    Ctrl-C finishes the step, saves, and ends the run as stopped.
    """
    from rnnlab.config import presets

    if as_json and not (list_presets or detach):
        raise click.UsageError("--json goes with --list or --detach")
    if list_presets and source:
        raise click.UsageError(f"--list takes no preset, got {source!r}")
    if list_presets:
        from rnnlab.cli.tables import print_presets

        print_presets(presets.all_presets(app.registry), as_json)
        return
    if source is None:
        raise click.UsageError(
            "expected a preset or a file, got nothing; 'rnnlab run --list' shows the presets"
        )
    if "=" in source and not Path(source).exists():
        raise click.UsageError(f"name a preset first, as in 'rnnlab run digits-rows {source}'")
    resolved = _resolved(app, source, overrides)
    if dry_run:
        from rnnlab.training.assemble import read_data
        from rnnlab.training.size import size

        click.echo(resolved.dump_yaml(), nl=False)
        found = size(resolved, read_data(resolved, app.registry)[0], app.registry)
        click.echo(
            f"{found.parameters:,} parameters, {found.steps:,} steps, {found.device}, "
            f"backend {found.backend_reason}",
            err=True,
        )
        return

    from rnnlab.cli.follow import Following, follow
    from rnnlab.execution.launch import start

    started, executor, handle = start(app.lab, resolved, app.registry)
    if detach:
        click.echo(json.dumps({"run": started.id, "path": str(started.path)}) if as_json else started.id)
        return
    (followed,) = follow([Following(started, executor, handle)])
    _show_log(app, followed)
    if followed.exit_code == 2 and followed.total_steps is None:
        shutil.rmtree(
            started.path, ignore_errors=True
        )  # its input was wrong before the first step: there is nothing to keep
    sys.exit(followed.exit_code)


def _resolved(app: App, source: str, overrides: tuple[str, ...]) -> Experiment:
    """The experiment; of a run's own config.yaml it is known where the run had its plugins from."""
    from rnnlab.config.build import load
    from rnnlab.execution.provenance import plugins_of
    from rnnlab.lab.run import Run

    before = Run(Path(source).absolute().parent)
    is_run = Path(source).name == before.config_path.name and before.events_path.exists()
    with plugins_of(before, app.registry) if is_run else nullcontext():
        return load(source, overrides, app.registry)


def _show_log(app: App, followed: Following) -> None:
    """With --debug, what the worker of a failed run wrote, its traceback among it."""
    if app.debug and followed.exit_code and followed.run.log_path.exists():
        click.echo(followed.run.log_path.read_text(errors="replace"), err=True, nl=False)


@click.command()
@click.argument("name", metavar="RUN")
@click.option("--detach", is_flag=True, help="Return at once; the run goes on by itself.")
@plugins_dir_option
@click.pass_obj
def resume(app: App, name: str, detach: bool) -> None:
    """Go on with RUN from its last checkpoint, exactly where it was."""
    from rnnlab.cli.follow import Following, follow
    from rnnlab.execution.launch import resume as launch_resume
    from rnnlab.lab.journal import Tail

    found = app.lab.find(name)
    told = Tail(found.events_path)
    while told.poll():  # what is there already is not shown again
        pass
    executor, handle = launch_resume(found, app.registry)
    if detach:
        click.echo(found.id)
        return
    (followed,) = follow([Following(found, executor, handle, told.offset)])
    _show_log(app, followed)
    sys.exit(followed.exit_code)


@click.command()
@click.argument("name", metavar="RUN")
@plugins_dir_option
@click.pass_obj
def stop(app: App, name: str) -> None:
    """Ask RUN to finish its step, save and end; wait until it has."""
    from rnnlab.execution.launch import stop as launch_stop

    found = app.lab.find(name)
    launch_stop(found, app.registry)
    click.echo(
        f"{found.id}: {found.state} at step {found.status.get('step', 0)}; 'rnnlab resume {found.id}' goes on"
    )
