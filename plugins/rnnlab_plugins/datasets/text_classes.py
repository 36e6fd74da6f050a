"""Labelled texts in the user's files."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from typing import Any, cast

from rnnlab.api import Corpus, Dataset, Example, InputError
from rnnlab_plugins.datasets.config import TextClassesConfig
from rnnlab_plugins.datasets.text_files import malformed, plain_suffix, read_lines

FORMATS = {".tsv": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
TREC = re.compile(r"(\w+):(\w+) +(\S.*)")

Row = tuple[int, str, str]
"""Line number, label, text."""


class TextClasses(Dataset):
    """A text and a label a line: TSV, CSV, JSON lines (an object a line) or TREC's `COARSE:fine text`."""

    licence = "user's own"
    citation = "user's own"

    def read(self) -> Corpus:
        """Splits that are not given are taken from train."""
        config = cast(TextClassesConfig, self.config)
        return Corpus(
            "class",
            {name: list(self._examples(path)) for name, path in config.files.items()},
            tokenizer=config.tokenizer,
            lowercase=config.lowercase,
        )

    def _examples(self, path: str) -> Iterator[Example]:
        config = cast(TextClassesConfig, self.config)
        for number, label, text in self._rows(path):
            tokens = self.tokenize(text, config.tokenizer, config.lowercase)
            if not tokens or not label:
                raise malformed(
                    path, number, "a label and a text", f"{label!r} and {text!r}", "fill or remove the line"
                )
            yield Example(tokens, label)

    def _rows(self, path: str) -> Iterator[Row]:
        config = cast(TextClassesConfig, self.config)
        chosen = config.format if config.format != "auto" else FORMATS.get(plain_suffix(path))
        if chosen is None:
            known = ", ".join(FORMATS)
            raise InputError(f"{path}: expected a name ending in {known}; rename it or set format")
        lines = read_lines(path)
        if chosen == "trec":
            return _trec_rows(path, lines, config.trec_labels == "fine")
        if chosen == "jsonl":
            return _json_rows(path, lines, str(config.label or "label"), str(config.text or "text"))
        return _table_rows(path, lines, chosen, config)


def _trec_rows(path: str, lines: list[str], fine: bool) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        match = TREC.fullmatch(line)
        if not match:
            raise malformed(
                path, number, "'COARSE:fine text'", repr(line[:40]), "mend the line or set format"
            )
        yield number, f"{match[1]}:{match[2]}" if fine else match[1], match[3]


def _json_rows(path: str, lines: list[str], label: str, text: str) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        expected = f"a JSON object with {label!r} and {text!r}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise malformed(path, number, expected, repr(line[:40]), "write one object a line") from None
        if not isinstance(record, dict) or label not in record or text not in record:
            got = f"keys {', '.join(record) or 'none'}" if isinstance(record, dict) else type(record).__name__
            raise malformed(path, number, expected, got, "set label and text to your keys")
        if not isinstance(record[text], str):
            raise malformed(path, number, f"text in {text!r}", _kind(record[text]), "write it as a string")
        if isinstance(record[label], bool) or not isinstance(record[label], (str, int)):
            got = _kind(record[label])
            raise malformed(path, number, f"text or a whole number in {label!r}", got, "write it as a string")
        yield number, str(record[label]).strip(), record[text]


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__


def _table_rows(path: str, lines: list[str], kind: str, config: TextClassesConfig) -> Iterator[Row]:
    # A tab-separated file has no quoting: a quotation mark in it is part of the text.
    if kind == "tsv":
        table = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    else:
        # With its line end a quoted field may go on over several lines.
        table = csv.reader((line + "\n" for line in lines), strict=True)
    names: list[str] = []
    width = label = text = 0
    try:
        for row in table:
            if not row:
                continue
            if not width:
                width = len(row)
                names = [] if config.header is False else row
                label = _column(path, "label", config.label, names, width, 0)
                text = _column(path, "text", config.text, names, width, 1)
                if config.header is not False:
                    continue
            if len(row) != width:
                remedy = "mend the line" if kind == "csv" else "mend the line, texts must not hold tabs"
                raise malformed(path, table.line_num, f"{width} columns", str(len(row)), remedy)
            yield table.line_num, row[label].strip(), row[text]
    except csv.Error as error:
        raise malformed(
            path, table.line_num, f"{kind.upper()}", str(error), "mend the line or set format"
        ) from None


def _column(
    path: str, option: str, column: str | int | None, names: list[str], width: int, default: int
) -> int:
    if column is None:
        column = option if names else default
    if isinstance(column, int):
        if 0 <= column < width:
            return column
        raise malformed(
            path, 1, f"a column {column} for {option}", f"{width} columns", f"set {option}, from 0"
        )
    if column in names:
        return names.index(column)
    raise malformed(
        path, 1, f"a column {column!r}", f"columns {', '.join(names)}", f"set {option} to one of them"
    )
