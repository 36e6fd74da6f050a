"""The characters that the widgets draw with: braille and half blocks, or plain ASCII."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len, set_cell_size

BRAILLE_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.uint8)
"""Bit of each dot of a character cell, [4 rows, 2 columns], as Unicode numbers the braille patterns."""


def _ascii_dots() -> str:
    """One ASCII character for each of the 256 dot patterns: what a cell shows of a curve is its height."""
    by_rows = {
        0b0000: " ",
        0b0001: "'",
        0b0010: "-",
        0b0011: "'",
        0b0100: "-",
        0b0110: "-",
        0b1000: ".",
        0b1100: ".",
    }
    table = []
    for pattern in range(256):
        rows = sum(1 << row for row in range(4) if (BRAILLE_BITS[row] & pattern).any())
        table.append(by_rows.get(rows, "|"))
    return "".join(table)


@dataclass(frozen=True)
class Glyphs:
    """One set of characters, each a single cell wide.

    Attributes:
        name: "unicode" or "ascii".
        dots: 256 characters, indexed by the braille bits of a cell.
        upper, lower: the half blocks; empty where a cell cannot hold two values.
        levels: from the lowest to the highest, for sparklines.
        shades: from the lowest to the highest, for heatmaps without half blocks.
        point: a line that has one sample only.
        swatch: stands before a name in a legend, in the colour of its line.
        axis, tick, corner: the vertical axis, a mark on it, and where the axes meet.
        cursor_line: the vertical line of a cursor.
        ellipsis: text was cut here.
        cursor, mark: of a table's row.
        ascending, descending: of a sorted column.
        more: there are more columns to the right.
        separator: between the parts of a read-out.
    """

    name: str
    dots: str
    upper: str
    lower: str
    levels: str
    shades: str
    point: str
    swatch: str
    axis: str
    tick: str
    corner: str
    cursor_line: str
    ellipsis: str
    cursor: str
    mark: str
    ascending: str
    descending: str
    more: str
    separator: str


UNICODE = Glyphs(
    name="unicode",
    dots=" " + "".join(chr(0x2800 + pattern) for pattern in range(1, 256)),
    upper="▀",
    lower="▄",
    levels="▁▂▃▄▅▆▇█",
    shades=" ░▒▓█",
    point="•",
    swatch="━",
    axis="│",
    tick="┤",
    corner="└",
    cursor_line="│",
    ellipsis="…",
    cursor="▸",
    mark="●",
    ascending="▲",
    descending="▼",
    more="›",
    separator="·",
)

ASCII = Glyphs(
    name="ascii",
    dots=_ascii_dots(),
    upper="",
    lower="",
    levels=".:-=+*#@",
    shades=" .:-=+*#%@",
    point="o",
    swatch="-",
    axis="|",
    tick="+",
    corner="+",
    cursor_line="|",
    ellipsis="~",
    cursor=">",
    mark="*",
    ascending="^",
    descending="v",
    more=">",
    separator="-",
)


def glyphs_for(encoding: str | None = None) -> Glyphs:
    """The characters that a terminal can show.

    Args:
        encoding: what the terminal reads; None asks the stream that Textual draws on (standard error).

    The Linux console is given ASCII whatever its encoding: its fonts hold no braille.
    """
    if encoding is None:
        encoding = sys.__stderr__.encoding if sys.__stderr__ else "ascii"
        if os.environ.get("TERM") == "linux":
            return ASCII
    try:
        "⣿▀█▸".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def printable(text: str) -> str:
    """`text` on one line: control characters, which could move the terminal's cursor, become spaces."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else " " for character in text)


def fit(text: str, width: int, glyphs: Glyphs = UNICODE, right: bool = False) -> str:
    """`text` in exactly `width` cells: cut with an ellipsis, or padded at its end (`right`: at its start)."""
    if width <= 0:
        return ""
    text = printable(text)
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + glyphs.ellipsis
    padding = " " * (width - length)
    return padding + text if right else text + padding
