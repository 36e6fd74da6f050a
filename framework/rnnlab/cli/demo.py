"""`rnnlab demo`: what the presets offer as a demonstration, trained and put into a table."""

from __future__ import annotations

import sys

import click

from rnnlab.cli.app import App, plugins_dir_option

AT_ONCE = 2
"""Runs trained side by side, each on one thread."""
NEXT = """
What to open next:
  rnnlab ui                        MLflow's pages behind the links above, with curves to compare
  rnnlab compare RUN RUN           what differs between two runs
  rnnlab predict RUN "VBD stop"    ask the inflection run for the past tense of a verb
  rnnlab run --list                more presets"""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the final table as JSON.")
@plugins_dir_option
@click.pass_obj
def demo(app: App, as_json: bool) -> None:
    """Train every preset that offers itself for it (`about.demo`: one set of overrides a run)."""
    from rich.console import Console

    from rnnlab.cli.follow import Following, follow
    from rnnlab.cli.tables import print_json, print_table, run_row
    from rnnlab.config.build import load
    from rnnlab.config.presets import all_presets
    from rnnlab.execution.launch import start

    plan = [
        load(preset.name, overrides, app.registry)
        for preset in all_presets(app.registry)
        for overrides in preset.about.get("demo", [])
    ]
    waiting = list(plan)

    def submit() -> Following | None:
        # The last preset is the longest: begun first, it leaves no processor idle at the end.
        return Following(*start(app.lab, waiting.pop(), app.registry)) if waiting else None

    first = [item for item in (submit() for _ in range(AT_ONCE)) if item is not None]
    done = follow(first, submit, Console(stderr=as_json))
    rows = sorted((run_row(item.run) for item in done), key=lambda row: (row["preset"], row["cell"]))
    if as_json:
        print_json(rows)
    else:
        columns = ("preset", "cell", "backend", "state", "metric", "score", "baseline", "seconds", "mlflow")
        click.echo()
        print_table(rows, columns, "no preset has a demo")
        click.echo(NEXT)
    sys.exit(max((item.exit_code or 0 for item in done), default=0))
