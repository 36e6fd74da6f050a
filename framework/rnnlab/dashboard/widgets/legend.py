"""The line above a chart: its title, and a name and a value for each of its lines."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from rnnlab.dashboard.widgets.glyphs import Glyphs, fit, printable

SHORTEST = 4
"""Cells that a name keeps however many there are."""


@dataclass(frozen=True)
class Entry:
    """One line's part: `key` (a swatch or its letter) in its style, its label, its value."""

    key: str
    label: str
    value: str
    style: Style

    @property
    def width(self) -> int:
        """In cells, without the two that stand between entries."""
        return sum(cell_len(part) for part in (self.key, self.label, self.value)) + 1 + bool(self.label)


def shown_entries(entries: list[Entry], width: int, glyphs: Glyphs) -> tuple[list[Entry], int]:
    """Those that fit into `width` cells, and how many do not: names are cut first,
    then the last are left out."""
    entries = [replace(entry, label=printable(entry.label)) for entry in entries]
    if _total(entries) > width:
        entries = _without_common_start(entries, glyphs)
    longest = max((cell_len(entry.label) for entry in entries), default=0)
    cut = entries
    for length in range(longest, min(SHORTEST, longest) - 1, -1):
        cut = [
            replace(entry, label=fit(entry.label, length, glyphs))
            if cell_len(entry.label) > length
            else entry
            for entry in entries
        ]
        if _total(cut) <= width:
            return cut, 0
    kept = len(cut)
    while kept and _total(cut[:kept]) + len(f"  +{len(cut) - kept}") > width:
        kept -= 1
    return cut[:kept], len(cut) - kept


def legend(
    title: str,
    note: str,
    entries: list[Entry],
    width: int,
    glyphs: Glyphs,
    base: Style,
    bold: Style,
    dim: Style,
) -> Strip:
    """The whole line, `width` cells wide."""
    heads = [Segment(printable(text), style) for text, style in ((title, bold), (note, dim)) if text]
    while True:
        room = width - sum(cell_len(head.text) + 2 for head in heads)
        shown, hidden = shown_entries(entries, room, glyphs)
        if not heads or not hidden or (note and len(heads) == 1):
            break
        heads.pop(0)  # the lines are told apart by their names, the title is known from where it stands
    segments = [part for head in heads for part in (head, Segment("  ", base))]
    for entry in shown:
        segments += [Segment(entry.key, entry.style), Segment(" ", base)]
        if entry.label:
            segments.append(Segment(f"{entry.label} ", base))
        segments += [Segment(entry.value, dim), Segment("  ", base)]
    if hidden:
        segments.append(Segment(f"+{hidden}", dim))
    return Strip(segments).adjust_cell_length(width, base)


def _without_common_start(entries: list[Entry], glyphs: Glyphs) -> list[Entry]:
    """Names such as run ids differ at their ends: what all begin with is cut first, by whole words."""
    labels = [entry.label for entry in entries]
    first, last = min(labels, default=""), max(labels, default="")  # all others lie between these two
    same = [one == other for one, other in zip(first, last, strict=False)]
    common = first[: [*same, False].index(False)]
    while common and (common[-1].isalnum() or common in labels):
        common = common[:-1]
    if len(entries) < 2 or len(common) < 2:
        return entries
    return [replace(entry, label=glyphs.ellipsis + entry.label[len(common) :]) for entry in entries]


def _total(entries: list[Entry]) -> int:
    return sum(entry.width for entry in entries) + 2 * max(0, len(entries) - 1)
