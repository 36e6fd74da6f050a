"""`rnnlab predict`."""

from __future__ import annotations

import sys

import click

from rnnlab.cli.app import App, plugins_dir_option


@click.command()
@click.argument("name", metavar="RUN")
@click.argument("inputs", metavar="[INPUT]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugins_dir_option
@click.pass_obj
def predict(app: App, name: str, inputs: tuple[str, ...], as_json: bool) -> None:
    """Answer INPUT (or each line of standard input) with RUN's best checkpoint.

    \b
    rnnlab predict latest "HH AH L OW"
    rnnlab predict latest < sentences.txt

    Real-valued sequences are written "a,b;a,b;...": values by commas, steps by semicolons.
    """
    from rnnlab.cli.tables import print_json
    from rnnlab.errors import InputError
    from rnnlab.execution.provenance import plugins_of
    from rnnlab.training.predictor import Predictor

    run = app.lab.find(name)
    lines = inputs or tuple(line.rstrip("\n") for line in sys.stdin if line.strip())
    if not lines:
        raise InputError('no input: expected text, got nothing; give it as rnnlab predict RUN "text"')
    with plugins_of(run, app.registry):
        predictor = Predictor(run, app.registry)
    answers = predictor.answer(lines)
    if as_json:
        print_json([{"input": line, "answer": answer} for line, answer in zip(lines, answers, strict=True)])
        return
    for answer in answers:
        click.echo(answer)
