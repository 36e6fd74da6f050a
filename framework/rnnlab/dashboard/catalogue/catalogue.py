"""The catalogue: every plugin described, the core's sections, and what was wrong with plugins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rnnlab.plugins.entry import Entry
from rnnlab.plugins.provider import Problem
from rnnlab.plugins.spec import Kind


@dataclass(frozen=True)
class Catalogue:
    """What is installed.

    Attributes:
        entries: everything registered, kind by kind, healthy or not.
        sections: JSON schemas of the core's sections; "" is what stands above the sections.
        problems: what plugins did wrong as a whole (they do not import, a hook raises, a name is taken),
            and each module that one of them lacks.
        hooks: plugin -> its lifecycle hooks.
        blocked: plugins left out because third-party plugins are off.
        complete: whether targets were imported, so that `docs`, `step` and "broken" are known.
        fresh: whether it is of what is installed now; if not, it is the last one known, or empty.
        error: why it could not be made, one line; "" if it could.
    """

    entries: tuple[Entry, ...] = ()
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    blocked: tuple[str, ...] = ()
    complete: bool = False
    fresh: bool = False
    error: str = ""

    def of(self, kind: Kind) -> tuple[Entry, ...]:
        """Everything of a kind."""
        return tuple(entry for entry in self.entries if entry.kind == kind)

    def ready(self, kind: Kind) -> Iterator[Entry]:
        """What of a kind can be used."""
        return (entry for entry in self.of(kind) if entry.health == "ok")

    def get(self, kind: Kind, name: str) -> Entry | None:
        """The entry of that name, None if there is none."""
        return next((entry for entry in self.entries if (entry.kind, entry.name) == (kind, name)), None)

    def __bool__(self) -> bool:
        return bool(self.entries or self.problems)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any], fresh: bool) -> Catalogue:
        """Read what the describing process wrote.

        Raises:
            KeyError, TypeError: it is of another version.
        """
        return cls(
            entries=tuple(Entry.from_dict(each) for each in fields["entries"]),
            sections=fields["sections"],
            problems=tuple(Problem(**each) for each in fields["problems"]),
            hooks={plugin: tuple(hooks) for plugin, hooks in fields["hooks"].items()},
            blocked=tuple(fields["blocked"]),
            complete=fields["complete"],
            fresh=fresh,
        )
