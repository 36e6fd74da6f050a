"""The command line that gives a form's experiment: a source, and what differs from it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnnlab.config.overrides import assignment


@dataclass(frozen=True)
class Command:
    """`rnnlab run SOURCE KEY=VALUE ...`.

    Attributes:
        source: a preset or a file.
        overrides: what is changed of it.
    """

    source: str
    overrides: tuple[str, ...] = ()

    def line(self, options: Sequence[str] = ()) -> str:
        """What to type in a shell; `options` are those of `rnnlab` itself, before the word `run`."""
        return shlex.join(["rnnlab", *options, "run", self.source, *self.overrides])


@dataclass(frozen=True)
class Change:
    """An option that is not as it would be by itself.

    Attributes:
        key: "stack.hidden_size", or "cell" for the choice of a plugin.
        before: what it would be: the source's value, or else the default.
        after: what the form says.
    """

    key: str
    before: Any
    after: Any

    @property
    def override(self) -> str:
        """As the command line says it."""
        return assignment(self.key, self.after)


def differences(
    section: str, before: Mapping[str, Any], after: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Iterator[Change]:
    """How the options of a section differ.

    Args:
        section: its key, "" for what stands above the sections.
        before, after: the options said in each.
        defaults: what an option is that is not said; one without a default is not among them.
    """
    from rnnlab.dashboard.form.field import same

    for name in dict.fromkeys((*defaults, *after, *before)):
        if name not in after and name not in defaults:
            continue  # it has no default to go back to
        old = before.get(name, defaults.get(name))
        new = after.get(name, defaults.get(name))
        if not same(old, new):
            yield Change(f"{section}.{name}" if section else name, old, new)
