"""Windows of a monthly series."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from rnnlab.api import Corpus, Dataset, Example, InputError
from rnnlab_nino.config import NinoConfig

SHIPPED = Path(__file__).with_name("data") / "nino12.csv"
SHARES = {"train": (0.0, 0.7), "val": (0.7, 0.8), "test": (0.8, 1.0)}
"""Where in the series each split begins and ends: what is tested lies after what was learned from."""


class Nino(Dataset):
    """Some months of sea temperature in °C; the class says whether it is warmer a few months later."""

    licence = "public domain (a work of the US government)"
    citation = (
        "NOAA National Weather Service, Climate Prediction Center, ERSST.V3B, region Nino 1+2 "
        "(0-10 S, 90-80 W), 1950-2010; as in statsmodels' data set elnino"
    )
    config: NinoConfig

    def read(self) -> Corpus:
        """Every window of each split; none reaches into the months of another.

        Raises:
            InputError: the file is missing or malformed, or a split is shorter than one window.
        """
        path = Path(self.config.file or SHIPPED)
        series = read_series(path)
        splits = {}
        for name, (begin, end) in SHARES.items():
            months = series[round(begin * len(series)) : round(end * len(series))]
            splits[name] = self._windows(months)
            if not splits[name]:
                needed = self.config.window + self.config.ahead
                raise InputError(
                    f"{path}: expected {needed} months or more in split {name!r}, got {len(months)}; "
                    "give a longer series, or a smaller window"
                )
        return Corpus("class", splits, standardise=True)

    def _windows(self, months: np.ndarray) -> list[Example]:
        window, ahead = self.config.window, self.config.ahead
        found = []
        for start in range(len(months) - window - ahead + 1):
            read = months[start : start + window]
            later = months[start + window - 1 + ahead]
            found.append(Example(read[:, None].copy(), "warmer" if later > read[-1] else "not warmer"))
        return found


def read_series(path: Path) -> np.ndarray:
    """The column temperature of a CSV file, float32 [months].

    Raises:
        InputError: the file is missing, or a line of it is no month and temperature.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); give a CSV file") from None
    values = []
    for number, row in enumerate(rows, 2):
        try:
            values.append(float(row["temperature"]))
        except (KeyError, TypeError, ValueError):
            got = ",".join(map(str, row.values()))
            raise InputError(
                f"{path}:{number}: expected a month and a temperature under the heading 'month,temperature', "
                f"got {got!r}; mend the line"
            ) from None
    return np.array(values, dtype=np.float32)
