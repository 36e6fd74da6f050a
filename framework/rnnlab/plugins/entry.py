"""What is known of an installed plugin's object, as plain data: for listings, forms and other processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from rnnlab.plugins.spec import Kind

Health = Literal["ok", "unavailable", "broken"]
"""Ready; lacking a module it needs; or faulty in what its record names."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One registered object, described.

    Attributes:
        kind, name, summary, target: as its record has them; a preset's summary may be its file's.
        health: whether it can be used.
        reason, remedy: why not, and what to do about it, one line each; "" if healthy.
        plugin, origin, version: who brought it, as in `Provider`.
        built_in: whether it comes with rnnlab itself.
        local: whether it comes from a folder the user named.
        needs: modules without which it cannot work, there or not.
        modes: the modes of a task (one) or of a data set.
        metrics: a task's metrics, name -> "max" or "min". primary: the one that picks the best checkpoint.
        decoder: whether a task has a second cell.
        rank: a backend's rank.
        options: JSON schema of its options, every default in it; None if it has none or they are faulty.
        docs: its docstring; "" unless the object was loaded.
        step: source of a cell's step; "" unless the object was loaded.
        experiment: a preset's raw experiment, without its `about`. about: that section.
        file: a preset's text.
    """

    kind: Kind
    name: str
    target: str
    summary: str = ""
    health: Health = "ok"
    reason: str = ""
    remedy: str = ""
    plugin: str = ""
    origin: str = ""
    version: str = ""
    built_in: bool = False
    local: bool = False
    needs: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    metrics: Mapping[str, str] = field(default_factory=dict)
    primary: str = ""
    decoder: bool = False
    rank: int = 0
    options: Mapping[str, Any] | None = None
    docs: str = ""
    step: str = ""
    experiment: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""

    def to_dict(self) -> dict[str, Any]:
        """In types that JSON has."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Entry:
        """What `to_dict` made, also after a passage through JSON."""
        lists = {key: tuple(fields[key]) for key in ("needs", "modes")}
        return cls(**{**fields, **lists})
