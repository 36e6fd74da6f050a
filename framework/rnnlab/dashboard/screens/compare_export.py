"""The compared curves as a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from rnnlab.dashboard.feed.snapshot import RunSnapshot
from rnnlab.errors import InputError

HEADER = ("run", "metric", "step", "time", "value")


def records(runs: Iterable[RunSnapshot]) -> Iterator[tuple[str, str, int, int, float]]:
    """Every sample of every curve: run, metric, step, milliseconds since the epoch, value."""
    for run in runs:
        for metric, series in run.series.items():
            columns = (series.steps.tolist(), series.times.tolist(), series.values.tolist())
            for step, time, value in zip(*columns, strict=True):
                yield run.id, metric, step, time, value


def write(path: Path, runs: Sequence[RunSnapshot], replace: bool) -> int:
    """Write the curves of `runs` to `path`, whole or not at all.

    Args:
        replace: whether a file that is there may be overwritten.

    Returns:
        How many samples.

    Raises:
        InputError: the file cannot be written, or is there and must not be replaced.
    """
    count, part = 0, path.with_name(f".{path.name}.part")
    taken = False
    try:
        if not replace:
            path.open("x").close()
            taken = True
        with part.open("w", newline="", encoding="utf-8") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(HEADER)
            for count, record in enumerate(records(runs), start=1):  # noqa: B007
                lines.writerow(record)
        part.replace(path)
    except FileExistsError:
        raise InputError(f"{path} exists by now and is left as it is; name another file") from None
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        with suppress(OSError):
            if taken:
                path.unlink()
        why = error.strerror or str(error)
        raise InputError(f"{path} cannot be written ({why}); name another file") from None
    return count
