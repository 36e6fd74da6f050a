"""Round ticks for linear and logarithmic axes, and numbers as short text."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def round_ticks(low: float, high: float, most: int, whole: bool = False) -> list[float]:
    """At most `most` (but at least 1) multiples of 1, 2, 2.5 or 5 x 10^n within [low, high].

    Args:
        whole: only whole numbers, as for steps.
    """
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return [low] if math.isfinite(low) else []
    power = math.floor(math.log10(span / max(1, most)))
    # Quarters only where nothing rounder gives two ticks, and a single tick only where nothing gives two.
    for factors, least in (((1.0, 2.0, 5.0), 2), ((1.0, 2.0, 2.5, 5.0), 2), ((1.0, 2.0, 5.0), 1)):
        for step in (factor * 10.0**exponent for exponent in range(power, power + 4) for factor in factors):
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            if least <= last - first + 1 <= max(1, most) and not (whole and step != int(step)):
                return [index * step for index in range(first, last + 1)]
    return []


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` values within [low, high], both above 0: 1, 2 and 5 x 10^n, or whole decades.

    A range too short for two such values is given linear ticks.
    """
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1,)):
        ticks = [factor * 10.0**decade for decade in decades for factor in factors]
        ticks = [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
        if 2 <= len(ticks) <= most:
            return ticks
    if len(ticks) > most:
        return ticks[:: -(-len(ticks) // max(1, most))]
    return [tick for tick in round_ticks(low, high, most) if tick > 0]


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """The ticks as text, with as many decimals as tell them apart: ["0.0", "0.5", "1.0"], ["500", "1k"]."""
    if len(ticks) < 2:
        return [short(tick) for tick in ticks]
    step = min(after - before for before, after in itertools.pairwise(ticks))
    top = max(abs(tick) for tick in ticks)
    even = abs(ticks[-1] - ticks[0] - step * (len(ticks) - 1)) < step * 1e-6
    if top >= 1e12 or top < 1e-3 or not even:
        digits = max(1, math.floor(math.log10(top / step)) + 2) if even else 3
        return [_exponent(f"{tick:.{digits}g}") for tick in ticks]
    return [_with_unit(tick, step) for tick in ticks]


def short(value: float) -> str:
    """`value` in four digits for people: "0.1314", "12.35k", "3e-5", "nan"."""
    if not math.isfinite(value):
        return str(value)
    if value and abs(value) < 1e-3:
        return _exponent(f"{value:.3g}")
    for unit, letter in _UNITS:
        if abs(value) >= unit * 10:
            return f"{value / unit:.4g}{letter}" if abs(value) < 1e12 else _exponent(f"{value:.3g}")
    return f"{value:.4g}"


def position_text(value: float) -> str:
    """Where a cursor stands: whole numbers in full with thousands separated, others as `short`."""
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e15 else short(value)


def _with_unit(tick: float, step: float) -> str:
    for unit, letter in _UNITS:
        if abs(tick) >= unit * (1 - 1e-9):
            text = f"{tick / unit:.{_decimals(step / unit)}f}"
            return (text.rstrip("0").rstrip(".") if "." in text else text) + letter
    text = f"{tick:.{_decimals(step)}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _decimals(step: float) -> int:
    """How many decimals a multiple of `step` needs."""
    for decimals in range(15):
        scaled = step * 10**decimals
        if round(scaled) and abs(scaled - round(scaled)) < 1e-6 * scaled:
            return decimals
    return 15


def _exponent(text: str) -> str:
    mantissa, letter, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if letter else text
