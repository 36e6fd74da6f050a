"""A check: a named question about a plugin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rnnlab.plugins.spec import Kind

if TYPE_CHECKING:
    from torch import Tensor

Checked = Kind | Literal["hooks"]
"""What can be checked: an object of a kind, or a plugin's lifecycle hooks."""


class Failed(AssertionError):
    """The plugin does not hold what the check asks; the message is one line: expected, got.

    Raised `from` an exception of the plugin, it puts that into words.
    """


class Skipped(Exception):
    """The check does not apply; the message is the reason, one line."""


@dataclass(frozen=True)
class Check:
    """A question about a plugin.

    Attributes:
        name: what it is called in reports, and its test's id.
        kind: what it is asked of; "any" for everything registered.
        meaning: what holds of a plugin that passes, one line.
        look_at: where an author looks when it fails, one line.
        ask: asks it of a `Subject` of that kind; returns if it holds, raises `Failed` or `Skipped` if not.
            Anything else that it raises is the plugin's doing.
        needed: why the checks after this one are skipped if it fails; "" if they are asked all the same.
    """

    name: str
    kind: Checked | Literal["any"]
    meaning: str
    look_at: str
    ask: Callable[[Any], None]
    needed: str = ""

    def __str__(self) -> str:
        return self.name


def check(
    kind: Checked | Literal["any"], look_at: str, needed: str = ""
) -> Callable[[Callable[[Any], None]], Check]:
    """Make a function a check: its name, with dashes, names it, its docstring's first line is the meaning."""

    def made(ask: Callable[[Any], None]) -> Check:
        name = ask.__name__.replace("_", "-")
        meaning = (ask.__doc__ or "").strip().splitlines()[0]
        return Check(name, kind, meaning, look_at, ask, needed)

    return made


def expect(holds: object, message: str) -> None:
    """Raise `Failed` with `message` unless `holds`."""
    if not holds:
        raise Failed(message)


def expect_same(got: Mapping[str, Tensor], expected: Mapping[str, Tensor], allowed: float, what: str) -> None:
    """Raise `Failed`, naming `what` and the worst entry, unless each tensor is what is expected.

    Args:
        got, expected: by name; those of `expected` count.
        allowed: how far an entry may be off, as a part of its tensor's largest.
        what: where this was, for the message.
    """
    from rnnlab.verification.checks import deviation

    for name, value in expected.items():
        expect(bool(value.isfinite().all()), f"{what}: {name} is not finite")
        found = deviation(name, _entries(got[name]), _entries(value), allowed)
        if found is not None and not found.ok:
            values = f" is {found.got:.6g}, expected {found.expected:.6g}" if found.index else ""
            raise Failed(f"{what}: {found}{values}")


def _entries(value: Tensor) -> Tensor:
    """In float64, a scalar as a tensor of one entry."""
    value = value.detach().double()
    return value if value.dim() else value[None]
