"""Every character is one cell; terminals without Unicode get ASCII."""

from dataclasses import fields

import pytest
from rich.cells import cell_len

from rnnlab.dashboard.widgets.glyphs import ASCII, UNICODE, fit, glyphs_for


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_every_glyph_is_one_cell(glyphs):
    for field in fields(glyphs):
        if field.name != "name":
            assert all(cell_len(character) == 1 for character in getattr(glyphs, field.name)), field.name
    assert len(glyphs.dots) == 256


def test_ascii_is_ascii():
    assert all(str(getattr(ASCII, field.name)).isascii() for field in fields(ASCII))


def test_ascii_dots_show_the_height():
    assert [ASCII.dots[bits] for bits in (0, 0x01, 0x08, 0x02, 0x04, 0x40, 0x80, 0xFF)] == list(" ''--..|")


def test_the_encoding_decides(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    assert [glyphs_for(name) for name in ("utf-8", "UTF-8", "latin-1", "ascii", "cp437", "no such")] == [
        UNICODE,
        UNICODE,
        ASCII,
        ASCII,
        ASCII,
        ASCII,
    ]


def test_the_linux_console_has_no_braille(monkeypatch):
    monkeypatch.setenv("TERM", "linux")
    assert glyphs_for() is ASCII


@pytest.mark.parametrize(
    ("text", "width", "fitted"),
    [
        ("loss", 6, "loss  "),
        ("validation", 6, "valid…"),
        ("日本語のラン", 6, "日本 …"),
        ("a\x1b[2Jb", 7, "a [2Jb "),
        ("two\nlines", 9, "two lines"),
        ("x", 0, ""),
    ],
)
def test_text_fills_its_cells_exactly(text, width, fitted):
    got = fit(text, width)
    assert cell_len(got) == width
    assert got == fitted


def test_numbers_stand_at_the_right():
    assert fit("12", 5, right=True) == "   12"
