"""Text files, plain or gzipped, with errors that name file and line."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from rnnlab.api import InputError


def read_lines(path: str | Path) -> list[str]:
    """Lines of a UTF-8 file without their ends; line n is at n - 1. Gzipped if its name ends in `.gz`.

    Raises:
        InputError: the file is missing, no file, not gzip though it says so, or not UTF-8.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file; check the path, relative ones start at {Path.cwd()}"
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a readable file") from None
    if path.suffix == ".gz":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{path}: expected gzip, got something else or a part of it: {error}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        got = data[error.start : error.start + 1].hex()
        raise malformed(path, line, "UTF-8", f"byte 0x{got}", "convert the file, e.g. with iconv") from None
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    return lines


def malformed(path: str | Path, line: int, expected: str, got: str, remedy: str) -> InputError:
    """An error about one line of a file, counted from 1."""
    return InputError(f"{path}:{line}: expected {expected}, got {got}; {remedy}")


def plain_suffix(path: str | Path) -> str:
    """The extension, that before `.gz` where there is one: `.tsv` of `pairs.tsv.gz`."""
    path = Path(path)
    return (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()
