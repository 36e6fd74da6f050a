"""The `rnnlab` command: global options, the list of commands, and how errors are shown."""

from __future__ import annotations

import importlib
import os
import sys
import traceback

import click

from rnnlab import __version__
from rnnlab.cli.app import App
from rnnlab.errors import ConfigError, RnnlabError, did_you_mean

# name -> (where it is, its line in --help): commands are imported only when they are called.
COMMANDS = {
    "dash": ("rnnlab.cli.dashboard:dash", "The dashboard in this terminal, or with --web in a browser."),
    "run": ("rnnlab.cli.run:run", "Train a preset or an experiment file."),
    "resume": ("rnnlab.cli.run:resume", "Go on with a stopped, failed or crashed run."),
    "stop": ("rnnlab.cli.run:stop", "Stop a run after its current step; it saves first."),
    "runs": ("rnnlab.cli.runs:runs", "List the runs of the lab."),
    "compare": ("rnnlab.cli.runs:compare", "What differs between runs: options and scores."),
    "predict": ("rnnlab.cli.predict:predict", "Ask a run's best checkpoint."),
    "plugins": ("rnnlab.cli.plugins:plugins", "What is installed, and whether it is healthy."),
    "verify": ("rnnlab.cli.verify:verify", "Every cell on every backend against the loop that defines it."),
    "bench": ("rnnlab.cli.bench:bench", "Backends side by side: how long each takes here."),
    "ui": ("rnnlab.cli.tracking:ui", "Serve MLflow's UI for this lab on 127.0.0.1."),
    "sync": ("rnnlab.cli.tracking:sync", "Ship what MLflow does not have yet."),
    "doctor": ("rnnlab.cli.doctor:doctor", "What this machine can do, and what is missing."),
    "demo": ("rnnlab.cli.demo:demo", "Train one preset per mode on real data and show the results."),
}


class Commands(click.Group):
    """A group that knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest command named when there is none."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            ctx.fail(f"no command {args[0]!r}{did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands' lines, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.command(
    cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("--runs-dir", metavar="DIR", help="The lab's folder [default: $RNNLAB_RUNS_DIR or ./runs].")
@click.option(
    "--plugins-dir", metavar="DIR", multiple=True, help="Also load plugins from the .py files of this folder."
)
@click.option("--no-plugins", is_flag=True, help="Load the built-in plugins only.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(__version__, prog_name="rnnlab")
@click.pass_context
def cli(
    ctx: click.Context, runs_dir: str | None, plugins_dir: tuple[str, ...], no_plugins: bool, debug: bool
) -> None:
    """A lab for recurrent neural networks.

    \b
    rnnlab                    the dashboard; without a terminal, what has been run
    rnnlab run --list         presets to start from
    rnnlab run digits         train one; change anything with key=value
    rnnlab runs               what has been run
    """
    ctx.obj = App(runs_dir, plugins_dir, not no_plugins, debug)
    if ctx.invoked_subcommand is None:
        from rnnlab.cli.dashboard import open_or_list

        open_or_list(ctx.obj)


def main() -> None:
    """Run the command line; every error becomes a line on stderr and an exit code."""
    debug = "--debug" in sys.argv[1:]
    try:
        sys.exit(cli.main(prog_name="rnnlab", standalone_mode=False))
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        see = f"; see '{context.command_path} --help'" if context else ""
        message = " ".join(error.format_message().split()).rstrip(".")  # click lists choices a line each
        click.echo(f"error: {message}{see}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except RnnlabError as error:
        if debug:
            traceback.print_exc()
        problems = error.problems if isinstance(error, ConfigError) else [str(error)]
        for problem in problems:
            click.echo(f"error: {problem}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        if debug:
            traceback.print_exc()
        fault = f"{type(error).__name__}: {error}"
        click.echo(
            f"error: {fault} (a fault of rnnlab or a plugin; 'rnnlab --debug ...' shows where)", err=True
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
