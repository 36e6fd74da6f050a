"""`rnnlab demo`: one preset per mode on real data, and the table at the end."""

from __future__ import annotations

import sys

import click

from rnnlab.cli.app import App

PLAN = (("digits", "cell=rnn"), ("digits",), ("stress",), ("inflection",))
AT_ONCE = 2
"""Runs trained side by side, each on one thread."""
NEXT = """
What to open next:
  rnnlab ui                       MLflow's pages behind the links above, with curves to compare
  rnnlab compare RUN RUN          what differs between two runs
  rnnlab predict RUN "VBD s t o p"   ask the inflection run for the past tense of a verb
  rnnlab run --list               more presets"""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the final table as JSON.")
@click.pass_obj
def demo(app: App, as_json: bool) -> None:
    """Train digits (with an RNN and an LSTM), stress and inflection, and compare the scores."""
    from rnnlab.cli.follow import Following, follow
    from rnnlab.cli.tables import print_json, print_table, run_row
    from rnnlab.config.build import load
    from rnnlab.execution.launch import start

    # The longest first, two at a time, so that neither processor idles.
    waiting = [load(preset, overrides, app.registry) for preset, *overrides in PLAN]

    def submit() -> Following | None:
        if not waiting:
            return None
        return Following(*start(app.lab, waiting.pop(), app.registry))

    done = follow([item for item in (submit() for _ in range(AT_ONCE)) if item], next_run=submit)
    rows = [run_row(item.run) for item in done]
    if as_json:
        print_json(rows)
    else:
        columns = ("preset", "cell", "backend", "metric", "score", "baseline", "seconds", "mlflow")
        click.echo()
        print_table(rows, columns, "no run was started")
        click.echo(NEXT)
    sys.exit(max(item.exit_code or 0 for item in done))
