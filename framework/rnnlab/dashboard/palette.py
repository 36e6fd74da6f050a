"""What the command palette offers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand

from rnnlab.dashboard.screens.frame import TABS

if TYPE_CHECKING:
    from textual.screen import Screen

    from rnnlab.dashboard.app import Dashboard

TEXTUALS_HELP = "Keys"
"""Its panel lists the keys of Textual's widgets; ours says what a screen is for."""


def commands(
    app: Dashboard, screen: Screen[object], textuals: Iterable[SystemCommand]
) -> Iterator[SystemCommand]:
    """The screens, what the keys of `screen` do, its help, and Textual's own.

    Args:
        app: the dashboard.
        screen: the one the palette is opened over.
        textuals: what Textual offers.
    """
    for _, mode, label in TABS:
        yield SystemCommand(f"Open {label}", f"The screen {label}", partial(app.action_mode, mode))
    seen: set[str] = set()
    for active in list(screen.active_bindings.values()):
        binding = active.binding
        if active.node is not screen or not binding.tooltip or binding.action in seen:
            continue
        seen.add(binding.action)  # an action with two keys is offered once
        yield SystemCommand(
            binding.description,
            f"{binding.tooltip} ({app.get_key_display(binding)})",
            partial(app.run_action, binding.action, default_namespace=screen),
        )
    yield SystemCommand("Help", "What this screen is for, and what its keys do", app.action_help)
    yield from (command for command in textuals if command.title != TEXTUALS_HELP)
