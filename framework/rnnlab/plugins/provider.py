"""Who brought a plugin, and what was wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Stage = Literal["load", "hook", "register", "requires"]
"""Where a plugin failed: its import, one of its hooks, one of its records, or a module it needs."""


@dataclass(frozen=True)
class Provider:
    """Where a plugin comes from.

    Attributes:
        plugin: its key, "distribution:entry_point" or "local:file_stem".
        origin: the distribution's name, or the file or folder of a local plugin.
        version: the distribution's version; "" for a local plugin that states none.
    """

    plugin: str
    origin: str
    version: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it came from a folder the user named rather than from an installed distribution."""
        return self.plugin.startswith("local:")

    def problem(self, stage: Stage, reason: str, remedy: str) -> Problem:
        """A problem of this plugin."""
        return Problem(self.plugin, self.origin, self.version, stage, reason, remedy)

    def __str__(self) -> str:
        return f"{self.origin} {self.version}".strip()


@dataclass(frozen=True)
class Problem:
    """Something a plugin did wrong, or lacks. It takes nothing else down.

    Attributes:
        plugin, origin, version: as in `Provider`.
        stage: where it failed.
        reason: what happened, one line.
        remedy: what to do about it, one line.
    """

    plugin: str
    origin: str
    version: str
    stage: Stage
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.plugin}: {self.reason}; {self.remedy}"
