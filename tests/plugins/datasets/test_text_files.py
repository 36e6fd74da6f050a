"""Reading text files: gzip, encodings, and every way a file can be wrong."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from rnnlab.api import InputError
from rnnlab_plugins.datasets.text_files import plain_suffix, read_lines


def test_line_ends_marks_and_gzip(tmp_path: Path) -> None:
    # U+2028 and U+0085 end lines for str.splitlines, not for files.
    data = "\ufeffone\r\ntwo\u2028still two\u0085\n\nfour".encode()
    expected = ["one", "two\u2028still two\u0085", "", "four"]
    (tmp_path / "plain.txt").write_bytes(data)
    (tmp_path / "packed.txt.gz").write_bytes(gzip.compress(data))
    assert read_lines(tmp_path / "plain.txt") == expected
    assert read_lines(str(tmp_path / "packed.txt.gz")) == expected


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert read_lines(tmp_path / "empty") == []


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.tsv: no such file; check the path"):
        read_lines(tmp_path / "none.tsv")
    with pytest.raises(InputError, match="cannot be read"):
        read_lines(tmp_path)


def test_bad_bytes_name_their_line(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("one\nzwei für\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"latin\.txt:2: expected UTF-8, got byte 0xfc; convert"):
        read_lines(tmp_path / "latin.txt")


@pytest.mark.parametrize("data", [b"plain text", gzip.compress(b"text" * 100)[:-20]], ids=["plain", "cut"])
def test_what_is_not_gzip_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "text.gz").write_bytes(data)
    with pytest.raises(InputError, match=r"text\.gz: expected gzip"):
        read_lines(tmp_path / "text.gz")


def test_the_suffix_before_gz_counts() -> None:
    assert plain_suffix("a/pairs.TSV.gz") == ".tsv"
    assert plain_suffix("a/pairs.csv") == ".csv"
    assert plain_suffix("a/pairs") == ""
