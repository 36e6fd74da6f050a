"""The number formats that backends are verified in, and how exact each must be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Precision:
    """A number format.

    Attributes:
        name: what users call it.
        dtype: of inputs, states and parameters.
        tolerance: how far a value may be from the loop's in float64 on the same rounded inputs, as a part of
            the largest entry of its tensor.
        gradient_tolerance: the same for a gradient, which goes through twice as many roundings.
        tf32: whether products of float32 may be rounded to TF32 (10 bits of mantissa); GPUs only.
    """

    name: str
    dtype: torch.dtype
    tolerance: float
    gradient_tolerance: float
    tf32: bool = False

    @property
    def rounding(self) -> float:
        """The distance from 1 to the next number."""
        return 2.0**-10 if self.tf32 else torch.finfo(self.dtype).eps

    def exists_on(self, device: str) -> bool:
        """Whether the format is one of its own on "cpu" or "cuda"."""
        return device == "cuda" or not self.tf32

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Allow or forbid TF32 in matrix products and in cuDNN, and put back what was set before."""
        # By the switch of either, not by `fp32_precision`: torch.compile asks the switches, which refuse to
        # answer once the other was used.
        places: tuple[Any, ...] = (torch.backends.cuda.matmul, torch.backends.cudnn)
        before = [place.allow_tf32 for place in places]
        try:
            for place in places:
                place.allow_tf32 = self.tf32
            yield
        finally:
            for place, value in zip(places, before, strict=True):
                place.allow_tf32 = value


PRECISIONS = {
    precision.name: precision
    for precision in (
        Precision("float64", torch.float64, 1e-12, 1e-12),
        Precision("float32", torch.float32, 1e-5, 1e-5),
        Precision("tf32", torch.float32, 5e-3, 1e-2, tf32=True),
        Precision("bfloat16", torch.bfloat16, 3e-2, 6e-2),
        Precision("float16", torch.float16, 4e-3, 8e-3),
    )
}
