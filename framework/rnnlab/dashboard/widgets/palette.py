"""Colours that are legible on a dark and on a light ground."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from rich.style import Style
from textual.color import Color

DARK = ("#5aa9e6", "#f4a259", "#7bd389", "#f07178", "#b794f6", "#e9c46a", "#5fd4c4", "#f28ad0")
"""Lines on a dark ground, at least 3:1 against Textual's dark themes."""

LIGHT = ("#1769aa", "#a84300", "#1b6e3c", "#b3202c", "#6b3fa0", "#7a5c00", "#0b6b68", "#a3257a")
"""Lines on a light ground, at least 3:1 against Textual's light themes."""

LEVELS = 32
"""The most colours in a heatmap: more cost bytes on the wire, and no eye tells them apart."""

_STOPS = {
    "sequential": ("440154", "414487", "2a788e", "22a884", "7ad151", "fde725"),  # viridis: lightness grows
    "diverging": ("2166ac", "67a9cf", "f7f7f7", "ef8a62", "b2182b"),  # ColorBrewer RdBu
    "grey": ("101010", "f0f0f0"),
}


@cache
def ramp(name: str, count: int = LEVELS) -> tuple[str, ...]:
    """`count` colours "#rrggbb" from low to high; name "sequential", "diverging" or "grey"."""
    stops = np.array([[int(stop[at : at + 2], 16) for at in (0, 2, 4)] for stop in _STOPS[name]], float)
    places = np.linspace(0, len(stops) - 1, count)
    channels = [np.interp(places, range(len(stops)), stops[:, channel]) for channel in range(3)]
    return tuple("#{:02x}{:02x}{:02x}".format(*rgb) for rgb in np.stack(channels, 1).round().astype(int))


def line_colour(colour: str, index: int, dark: bool, variables: Mapping[str, str]) -> Color:
    """The colour of the line at `index`.

    Args:
        colour: "" for the palette's, a name or "#rrggbb", or "$name" for one of the theme's `variables`.
        dark: whether the theme is.

    Raises:
        KeyError: the theme has no such variable.
        textual.color.ColorParseError: no colour.
    """
    if not colour:
        palette = DARK if dark else LIGHT
        return Color.parse(palette[index % len(palette)])
    return Color.parse(variables[colour[1:]] if colour.startswith("$") else colour)


def bright_and_dim(colour: Color, ground: Color) -> tuple[Style, Style]:
    """Styles for a smoothed curve and for its raw one, which is halfway to the ground."""
    bright = Style(color=colour.rich_color)
    if colour.ansi is not None or ground.ansi is not None or ground.a < 1:
        return bright, Style(color=colour.rich_color, dim=True)  # the terminal's own colours cannot be mixed
    return bright, Style(color=colour.blend(ground, 0.55, alpha=1).rich_color)
