"""Lines can be told from the ground in dark and light themes."""

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from rnnlab.dashboard.widgets import palette


def contrast(one, other):
    """As WCAG 2 defines it, from 1 to 21."""
    light = []
    for colour in (one, other):
        parts = [
            part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
        ]
        light.append(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2])
    return (max(light) + 0.05) / (min(light) + 0.05)


@pytest.mark.parametrize(
    "theme", ["textual-dark", "textual-light", "nord", "gruvbox", "dracula", "solarized-light"]
)
def test_lines_are_legible(theme):
    colours = BUILTIN_THEMES[theme].to_color_system().generate()
    dark = BUILTIN_THEMES[theme].dark
    for ground in ("background", "surface"):
        for index in range(len(palette.DARK)):
            line = palette.line_colour("", index, dark, {})
            assert contrast(line, Color.parse(colours[ground])) >= 3, (theme, ground, index)


def test_eight_different_lines():
    assert len(set(palette.DARK)) == len(set(palette.LIGHT)) == 8


def test_a_theme_colour_by_name():
    assert palette.line_colour("$success", 0, True, {"success": "#00ff00"}).hex == "#00FF00"
    assert palette.line_colour("red", 0, True, {}).hex == "#FF0000"


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
def test_text_colours_of_themes_are_legible(theme):
    colours = BUILTIN_THEMES[theme].to_color_system().generate()
    for name in ("text-success", "text-error", "text-warning", "text-accent"):
        colour = palette.line_colour(f"${name}", 0, True, colours)
        assert contrast(colour, Color.parse(colours["background"])) >= 3, name


def test_the_raw_curve_is_nearer_to_the_ground():
    ground = Color.parse("#000000")
    bright, dim = palette.bright_and_dim(Color.parse("#ffffff"), ground)
    assert bright.color.triplet.hex == "#ffffff"
    assert dim.color.triplet.hex == "#727272"


@pytest.mark.parametrize("name", ["sequential", "diverging", "grey"])
def test_ramps_have_as_many_colours_as_asked(name):
    assert len(set(palette.ramp(name, 32))) == 32


def test_lightness_grows_where_it_must():
    for name in ("sequential", "grey"):
        light = [Color.parse(colour).brightness for colour in palette.ramp(name)]
        assert light == sorted(light)
