"""`rnnlab dash`, and what `rnnlab` does without a command."""

from __future__ import annotations

import os
import sys

import click

from rnnlab.cli.app import App


@click.command()
@click.option("--web", is_flag=True, help="Serve it to a browser on 127.0.0.1 until Ctrl-C.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port for --web; 8000, or any free one.")
@click.pass_obj
def dash(app: App, web: bool, port: int | None) -> None:
    """Configure, launch, watch, stop and compare runs. The same as 'rnnlab' alone.

    Closing it ends no run. Keys: '?' on each screen. Without a terminal it prints the table of runs.
    """
    if port is not None and not web:
        raise click.UsageError("--port is for --web; add it")
    if web:
        from rnnlab.dashboard.catalogue.installation import Installation
        from rnnlab.dashboard.web import serve

        serve(app.lab, Installation.of(app.plugins_dirs, app.plugins), port, click.echo)
    else:
        open_or_list(app)


def open_or_list(app: App) -> None:
    """Open the dashboard in a terminal; without one, print the table of runs."""
    if not in_terminal():
        from rnnlab.cli.runs import runs

        click.get_current_context().invoke(runs)
        return
    from rnnlab.dashboard.app import Dashboard
    from rnnlab.dashboard.catalogue.installation import Installation

    dashboard = Dashboard(app.lab, Installation.of(app.plugins_dirs, app.plugins))
    dashboard.run()
    if dashboard.return_code:
        raise click.exceptions.Exit(dashboard.return_code)


def in_terminal() -> bool:
    """Whether there is something to draw on: a terminal, or textual-serve."""
    if os.environ.get("TEXTUAL_DRIVER"):
        return True
    # Textual draws on standard error.
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return os.environ.get("TERM") != "dumb" and all(
        stream is not None and stream.isatty() for stream in streams
    )
