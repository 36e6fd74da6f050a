"""`rnnlab plugins new`: a plugin that works, to be changed into yours."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from rnnlab.cli.app import plugins_dir_option
from rnnlab.errors import InputError
from rnnlab.scaffold.naming import SCAFFOLDED, Naming, Scaffolded

if TYPE_CHECKING:
    from rnnlab.cli.app import App


@click.command()
@click.argument("kind", type=click.Choice(SCAFFOLDED))
@click.argument("name")
@click.option("--file", "one_file", is_flag=True, help="Make one file for --plugins-dir, not a package.")
@click.option("--to", "folder", metavar="DIR", default=".", help="Where to make it [default: .].")
@plugins_dir_option
@click.pass_obj
def new(app: App, kind: str, name: str, one_file: bool, folder: str) -> None:
    """Make a plugin that works, with a test that passes: change it into yours.

    \b
    rnnlab plugins new cell mycell            the package rnnlab-mycell, to be installed
    rnnlab plugins new cell mycell --file     mycell.py, and tests/test_mycell.py
    """
    from rnnlab.scaffold import scaffold

    naming = Naming.checked(cast(Scaffolded, kind), name, app.registry)
    place = Path(folder).expanduser()
    if one_file:
        files, options = scaffold.single_file(naming), f"--plugins-dir {shlex.quote(folder)} "
        check = f"rnnlab plugins check {options}{kind} {name}"
        steps = [check, f"rnnlab {options}{scaffold.trial(naming)}"]
    else:
        files, place = scaffold.package(naming), place / naming.distribution
        if place.exists():
            raise InputError(f"{place} exists, and nothing is overwritten; take another name or --to DIR")
        install = f"pip install --editable {shlex.quote(str(place))}"
        steps = [install, f"rnnlab plugins check {kind} {name}", f"rnnlab {scaffold.trial(naming)}"]
    scaffold.write(files, place)
    for path in files:
        click.echo(place / path)
    click.echo("\nnext")
    for step in steps:
        click.echo(f"  {step}")
