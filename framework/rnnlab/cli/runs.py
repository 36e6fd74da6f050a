"""`rnnlab runs` and `rnnlab compare`."""

from __future__ import annotations

from typing import Any

import click

from rnnlab.cli.app import App, plugins_dir_option


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugins_dir_option
@click.pass_obj
def runs(app: App, as_json: bool) -> None:
    """List the runs of the lab, the newest last."""
    from rnnlab.cli.tables import print_json, print_table, run_row

    rows = [run_row(run) for run in app.lab.runs()]
    if as_json:
        print_json(rows)
        return
    columns = ("run", "state", "cell", "backend", "step", "steps", "metric", "score", "baseline", "seconds")
    print_table(rows, columns, f"{app.lab.path} has no runs; start one with 'rnnlab run digits'")


@click.command()
@click.argument("names", metavar="RUN RUN...", nargs=-1, required=True)
@click.option("--all", "everything", is_flag=True, help="Show equal options too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugins_dir_option
@click.pass_obj
def compare(app: App, names: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Show side by side what differs between runs: options first, then scores."""
    from rnnlab.cli.tables import print_json, print_table
    from rnnlab.config.experiment import flatten

    found = [app.lab.find(name) for name in names]
    if len({run.id for run in found}) < 2:
        raise click.UsageError(f"expected two runs or more, got {len(set(names))}; 'rnnlab runs' lists them")
    options = {run.id: flatten(run.config) for run in found}
    scores = {run.id: _scores(run.status) for run in found}
    if as_json:
        print_json({run.id: {"options": options[run.id], "scores": scores[run.id]} for run in found})
        return
    for title, columns in (("option", options), ("score", scores)):
        names_in_order = list(dict.fromkeys(key for values in columns.values() for key in values))
        rows = []
        for key in names_in_order:
            values = [columns[run.id].get(key) for run in found]
            if everything or title == "score" or any(value != values[0] for value in values):
                rows.append({title: key} | dict(zip((run.id for run in found), values, strict=True)))
        print_table(rows, (title, *(run.id for run in found)), f"no {title} differs")
        click.echo()


def _scores(status: dict[str, Any]) -> dict[str, Any]:
    scores = {name: float(value) for name, value in sorted((status.get("scores") or {}).items())}
    return scores | {
        name: status.get(name) for name in ("step", "best_step", "seconds", "cpu_seconds", "parameters")
    }
