"""Options of the cell antisymmetric."""

from __future__ import annotations

from pydantic import Field

from rnnlab.api import CellConfig


class AntisymmetricConfig(CellConfig):
    """Options of the antisymmetric RNN, beside those that every cell has."""

    step_size: float = Field(0.1, gt=0.0, le=1.0)
    """How far a step moves the state (epsilon)."""
    diffusion: float = Field(0.01, ge=0.0)
    """How much it is pulled to zero on the way (gamma); some keeps the forward pass stable."""
