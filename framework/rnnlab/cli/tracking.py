"""`rnnlab sync` and `rnnlab ui`."""

from __future__ import annotations

from dataclasses import asdict

import click

from rnnlab.cli.app import App, plugins_dir_option


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugins_dir_option
@click.pass_obj
def sync(app: App, runs: tuple[str, ...], as_json: bool) -> None:
    """Ship to MLflow whatever it does not have yet.

    Without RUN, all runs except those with tracking.enabled=false; a run named here is shipped in any case.
    """
    from rnnlab.cli.tables import print_json
    from rnnlab.tracking.sync import sync as ship

    results = ship(app.lab, [app.lab.find(name) for name in runs] or None)
    if as_json:
        print_json([asdict(result) for result in results])
    else:
        for result in results:
            if result.sent or result.pending or runs:
                waiting = f", {result.pending} events wait" if result.pending else ""
                click.echo(f"{result.run_id}  {result.sent} points sent{waiting}")
        done = sum(result.error is None for result in results)
        click.echo(f"{done} of {len(results)} runs are wholly in MLflow" if results else "no runs to ship")
    # One line for each different trouble, not one for each run that has it.
    for error in dict.fromkeys(result.error for result in results if result.error):
        click.echo(error, err=True)
    if any(result.error for result in results):
        raise click.exceptions.Exit(1)


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port on 127.0.0.1; 5000, or any free one.")
@plugins_dir_option
@click.pass_obj
def ui(app: App, port: int | None) -> None:
    """Serve MLflow's UI on this lab's runs until Ctrl-C."""
    from rnnlab.tracking.server import serve

    serve(app.lab, port, announce=click.echo)
