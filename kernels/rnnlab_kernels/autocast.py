"""torch.autocast: the ops cast their arguments once, on entry, and compute in what they then have."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import torch
from torch import Tensor

Argument = TypeVar("Argument", Tensor, Tensor | None)


def autocast_dtype(device: torch.device) -> torch.dtype | None:
    """Return what autocast asks for on `device`, or None where it is off."""
    if not torch.amp.is_autocast_available(device.type) or not torch.is_autocast_enabled(device.type):
        return None
    return torch.get_autocast_dtype(device.type)


def cast(tensor: Argument, dtype: torch.dtype | None) -> Argument:
    """Cast to autocast's dtype what autocast would: floating tensors but float64."""
    if tensor is None or dtype is None or tensor.dtype == torch.float64 or not tensor.is_floating_point():
        return tensor
    return tensor.to(dtype)


def without_autocast(device: torch.device) -> AbstractContextManager[object]:
    """Inside, torch leaves float32 intermediates alone; the loops keep their state in float32 on purpose."""
    if autocast_dtype(device) is None:
        return nullcontext()
    return torch.autocast(device.type, enabled=False)
