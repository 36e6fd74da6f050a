"""`rnnlab dash`, and what `rnnlab` does without a command."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import click

from rnnlab.cli.app import App, plugins_dir_option

if TYPE_CHECKING:
    from rnnlab.dashboard.app import Dashboard


@click.command()
@click.option("--web", is_flag=True, help="Serve it to a browser on 127.0.0.1 until Ctrl-C.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port for --web; 8000, or any free one.")
@plugins_dir_option
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
    from rnnlab.dashboard import terminal

    if not terminal.is_there():
        from rnnlab.cli.runs import runs

        click.get_current_context().invoke(runs)
        return
    dashboard = _load(app)
    with terminal.leaving_cleanly(dashboard):
        dashboard.run()
    if dashboard.return_code:
        raise click.exceptions.Exit(dashboard.return_code)


def _load(app: App) -> Dashboard:
    """Import and make the dashboard, which holds up the first picture.

    Meanwhile no garbage is looked for: importing makes none, and to look through all that it makes took a
    sixth of the processor time until the first picture. What is there by then is never looked through.
    """
    gc.disable()
    from rnnlab.dashboard.app import Dashboard
    from rnnlab.dashboard.catalogue.installation import Installation

    dashboard = Dashboard(app.lab, Installation.of(app.plugins_dirs, app.plugins))
    gc.freeze()
    gc.enable()
    return dashboard
