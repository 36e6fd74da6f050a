"""Options of the data set nino."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from rnnlab.api import DatasetConfig


class NinoConfig(DatasetConfig):
    """Options of nino, beside those that every data set has."""

    file: str | None = None
    """A CSV file with the columns month and temperature, a line a month without a gap; null for NOAA's."""
    window: int = Field(12, ge=2)
    """Months that the net reads."""
    ahead: int = Field(3, ge=1)
    """Months from the last that it reads to the one that is asked about."""

    @field_validator("file")
    @classmethod
    def _absolute(cls, file: str | None) -> str | None:
        # A run may be resumed from another folder than it was started in.
        return file and str(Path.cwd() / Path(file).expanduser())
