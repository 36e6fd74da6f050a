"""Verdicts on combinations of a cell, a backend, a device and a precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from rnnlab.errors import in_words
from rnnlab.plugins.registry import Registry
from rnnlab.recurrent.backend import Backend
from rnnlab.verification.checks import CHECKS, Check, Deviation
from rnnlab.verification.combinations import Combination, RefusedOptions
from rnnlab.verification.trial import INPUT_SIZE, Trial

HIDDEN_SIZES = {"cpu": (16, 20), "cuda": (16, 20, 200, 1040)}
"""A power of two and another; on GPUs also sizes for which a backend may need another kernel."""

PREPARED_SIZES = (20,)
"""For a backend that prepares cells, each size anew: more than a vector of numbers, and a rest."""


@dataclass(frozen=True)
class Verdict:
    """What came of verifying a combination.

    Attributes:
        combination: what was verified.
        result: "ok", "wrong", or "not supported", which is no fault.
        where: the place of `worst`, and what is wrong there; the reason if not supported.
        worst: the deviation nearest to what is allowed, or beyond it; None if nothing was computed.
    """

    combination: Combination
    result: Literal["ok", "wrong", "not supported"]
    where: str
    worst: Deviation | None = None


def verify(
    combination: Combination, registry: Registry, hidden_sizes: Sequence[int] | None = None
) -> Verdict:
    """Put a combination through every check, up to the first that fails.

    Args:
        combination: what to verify.
        registry: where its plugins are.
        hidden_sizes: each H to do it with; none means HIDDEN_SIZES, or PREPARED_SIZES.

    Nothing that a plugin does raises: it is a verdict.
    """
    worst: tuple[Deviation, str] | None = None
    usual = PREPARED_SIZES if combination.backend.prepares else HIDDEN_SIZES[combination.device]
    doing = "cannot be loaded"
    try:
        backend: Backend = registry.load(combination.backend)()
        for hidden_size in hidden_sizes or usual:
            doing = "cannot be made"
            cell = combination.variant.make(registry, INPUT_SIZE, hidden_size)
            device, precision = torch.device(combination.device), combination.precision
            doing = "supports"
            if refusal := backend.supports(cell.to(device, precision.dtype), device, precision.dtype):
                return Verdict(combination, "not supported", refusal)
            trial = Trial(cell, backend, device, precision)
            for check in CHECKS:
                doing = f"{check.name}, H={hidden_size}"
                for deviation in check.deviations(trial):
                    if not deviation.ok:
                        return Verdict(combination, "wrong", _fault(check, deviation, doing), deviation)
                    if worst is None or deviation.severity > worst[0].severity:
                        worst = deviation, f"{doing}: {deviation}"
    except RefusedOptions as refusal:
        return Verdict(combination, "not supported", str(refusal))
    except Exception as error:
        return Verdict(combination, "wrong", f"{doing}: {in_words(error)}")
    assert worst is not None
    return Verdict(combination, "ok", worst[1], worst[0])


def _fault(check: Check, deviation: Deviation, doing: str) -> str:
    values = ""
    if deviation.index:
        values = f" is {deviation.got:.4g}, expected {deviation.expected:.4g}"
    return f"{doing}: {check.meaning} ({deviation}{values})"
