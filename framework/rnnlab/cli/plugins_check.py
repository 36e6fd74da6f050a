"""`rnnlab plugins check`: does a plugin keep its contract?"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from rnnlab.cli.app import App, plugins_dir_option
from rnnlab.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from rnnlab.testing import Checked, Finding, Subject


@click.command(options_metavar="[OPTIONS] [KIND]")
@click.argument("words", metavar="NAME [KEY=VALUE]...", nargs=-1, required=True)
@click.option(
    "--without", metavar="CHECK=REASON", multiple=True, help="Leave out a check; the reason is shown."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugins_dir_option
@click.pass_obj
def check(app: App, words: tuple[str, ...], without: tuple[str, ...], as_json: bool) -> None:
    """Put a plugin through every check of its kind: does it keep its contract?

    \b
    rnnlab plugins check mycell                     whatever is called so
    rnnlab plugins check cell mycell leak=0.1       with an option
    rnnlab plugins check --plugins-dir . mycell     a file that is not installed
    rnnlab plugins check dataset text_classes train=my.tsv
    rnnlab plugins check my-package                 all that a distribution or a file brings
    rnnlab plugins check mycell --without dtypes="it needs float64"

    The same checks as a test: test_conformance = rnnlab.testing.conformance("cell", "mycell"). Exit 1 if a
    check fails; one that is skipped says why.
    """
    import torch

    from rnnlab.cli.tables import print_json
    from rnnlab.testing import Finding, ask, checks, expect_known, subject

    torch.set_num_threads(1)
    chosen, given = _chosen(app, words)
    left_out = _left_out(without)
    expect_known(left_out, [kind for kind, _ in chosen])
    rows: list[dict[str, Any]] = []
    for kind, name in chosen:
        of = subject(app.registry, kind, name, given)
        if not as_json:
            click.echo(f"{kind} {name} ({of.provider.plugin})")
        for each in checks(kind):
            reason = left_out.get(each.name)
            finding = Finding(each, "left out", reason) if reason else ask(each, of)
            rows.append(_row(of, finding))
            if not as_json:
                click.echo(f"  {finding.result:<8} {each.name:<13} {finding.line}")
            if app.debug and finding.error is not None:
                traceback.print_exception(finding.error)
    counts = Counter(row["result"] for row in rows)
    if as_json:
        print_json(rows)
    else:
        results = ("ok", "failed", "skipped", *(["left out"] if left_out else []))
        click.echo(", ".join(f"{counts[result]} {result}" for result in results))
    if counts["failed"]:
        raise click.exceptions.Exit(1)


def _chosen(app: App, words: Sequence[str]) -> tuple[list[tuple[Checked, str]], dict[str, Any]]:
    """What to check, and the options given."""
    from rnnlab.config.overrides import typed_value
    from rnnlab.testing import CHECKED, named

    names = [word for word in words if "=" not in word]
    given = {
        key: typed_value(text) for key, _, text in (word.partition("=") for word in words if "=" in word)
    }
    match names:
        case [name]:
            return named(app.registry, name), given
        case [kind, name]:
            for known in CHECKED:
                if kind == known:
                    return [(known, name)], given
            raise InputError(f"unknown kind {kind!r}{did_you_mean(kind, CHECKED)}")
    raise InputError(f"expected NAME or KIND NAME, got {' '.join(names) or 'no name'}; check them one by one")


def _left_out(words: Sequence[str]) -> dict[str, str]:
    """Name of a check -> why it is not asked."""
    given = dict[str, str]()
    for word in words:
        name, separator, reason = word.partition("=")
        if not separator:
            raise InputError(f"--without: expected CHECK=REASON, got {word!r}; say why it is not asked")
        given[name.strip()] = reason.strip()
    return given


def _row(of: Subject, finding: Finding) -> dict[str, Any]:
    """A finding as a row."""
    return {
        "kind": of.kind,
        "name": of.name,
        "plugin": of.provider.plugin,
        "check": finding.check.name,
        "result": finding.result,
        "reason": finding.reason,
        "meaning": finding.check.meaning,
        "look_at": finding.check.look_at,
    }
