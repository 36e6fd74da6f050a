"""Real-valued series in the .ts format of the UCR and UEA archives."""

from __future__ import annotations

from typing import cast

import numpy as np

from rnnlab.api import Corpus, Dataset, Example, InputError
from rnnlab_plugins.datasets.config import TimeSeriesConfig
from rnnlab_plugins.datasets.text_files import malformed, read_lines


class TimeSeries(Dataset):
    """Series of any length with one channel or more, each with a class.

    A file begins with `#` comments and an `@` header that ends with `@data`; then one series a line, channels
    separated by `:`, values by `,`, the class after the last `:`.
    """

    licence = "user's own"
    citation = "user's own"

    def read(self) -> Corpus:
        """Splits that are not given are taken from train."""
        config = cast(TimeSeriesConfig, self.config)
        splits = {}
        channels = None
        for name, path in config.files.items():
            splits[name], channels = _read_series(path, channels)
        return Corpus("class", splits, standardise=config.standardise)


def _read_series(path: str, channels: int | None) -> tuple[list[Example], int | None]:
    """The series of a file, and their number of channels, which must be `channels` unless that is None."""
    examples = []
    in_data = False
    for number, line in enumerate(read_lines(path), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("@"):
            in_data = _check_header(path, number, line)
            continue
        if not in_data:
            raise malformed(
                path, number, "a header that ends with '@data'", repr(line[:40]), "give a .ts file"
            )
        *values, label = line.split(":")
        channels = channels or len(values)
        if not values or len(values) != channels or not label.strip():
            expected = f"{channels or 1} channels and a class, separated by ':'"
            got = f"{len(values)} channels and the class {label.strip()[:20]!r}"
            raise malformed(path, number, expected, got, "mend the line")
        examples.append(Example(_series(path, number, values), label.strip()))
    if not in_data:
        raise InputError(f"{path}: expected a line '@data' before the series, got none; give a .ts file")
    return examples, channels


def _check_header(path: str, number: int, line: str) -> bool:
    """Whether this is the header's last line; what cannot be read is refused."""
    key, *values = line.lower().split()
    if key == "@timestamps" and values == ["true"]:
        raise malformed(path, number, "series without time stamps", repr(line), "resample them to even steps")
    if key == "@classlabel" and values[:1] == ["false"]:
        raise malformed(path, number, "series with a class label", repr(line), "add the classes")
    return key == "@data"


def _series(path: str, number: int, channels: list[str]) -> np.ndarray:
    """float32 [T, F] of F channels of T values each."""
    rows = []
    for place, channel in enumerate(channels, 1):
        texts = channel.split(",")
        missing = [text.strip() for text in texts if text.strip().lower() in ("?", "nan", "")]
        if missing:
            got = f"{len(missing)} missing ({missing[0]!r}) in channel {place}"
            raise malformed(
                path, number, "a number at every step", got, "fill them in, e.g. by interpolation"
            )
        try:
            rows.append([float(text) for text in texts])
        except ValueError as error:
            raise malformed(path, number, "numbers separated by ','", str(error), "mend the line") from None
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        got = f"lengths {', '.join(map(str, sorted(lengths)))}"
        raise malformed(path, number, "channels of one length", got, "pad or resample the channels")
    return np.array(rows, dtype=np.float32).T.copy()
