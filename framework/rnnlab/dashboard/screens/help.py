"""What a screen's keys do."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from rnnlab.dashboard.screens.lab_screen import LabScreen

HERE, EVERYWHERE = "This screen", "Everywhere"


class HelpPanel(ModalScreen[None]):
    """Every key that does something in a screen as it is now, what it does, and the name to remap it by."""

    DEFAULT_CSS = """
    HelpPanel { align: right top; }
    HelpPanel > VerticalScroll {
        width: 76; max-width: 100%; height: 100%; padding: 0 1; background: $surface;
        border-left: tall $primary; scrollbar-size-vertical: 1;
    }
    HelpPanel Static { width: 1fr; height: auto; margin-bottom: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q", "app.pop_screen", "Close", id="help.close", tooltip="Back"),
    ]

    def __init__(self, about: Screen[object]) -> None:
        super().__init__()
        self._text = describe(about)

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            for part in self._text:
                yield Static(part)


def describe(screen: Screen[object]) -> list[Content]:
    """The help of a screen: what it is for, its keys, those of the focused widget, those of all screens."""
    groups: dict[str, dict[str, tuple[list[str], Binding]]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.system or not (binding.tooltip or binding.description):
            continue
        if active.node is screen and binding.id:
            heading = HERE
        elif active.node in (screen, screen.app):  # what has no name here is Textual's, on every screen
            heading = EVERYWHERE
        else:
            heading = f"In {active.node.id or type(active.node).__name__}"
        of_heading = groups.setdefault(heading, {})
        keys, said = of_heading.get(binding.action, ([], binding))
        # What is ours says more than what Textual binds to the same action.
        of_heading[binding.action] = (
            [*keys, screen.app.get_key_display(binding)],
            said if said.id else binding,
        )
    about = [Content(screen.ABOUT)] if isinstance(screen, LabScreen) and screen.ABOUT else []
    order = sorted(groups, key=lambda heading: {HERE: 0, EVERYWHERE: 2}.get(heading, 1))
    return about + [_group(heading, list(groups[heading].values())) for heading in order]


def _group(heading: str, keys: list[tuple[list[str], Binding]]) -> Content:
    lines = [Content.from_markup("[bold $text-primary]$heading[/]", heading=heading)]
    for shown, binding in keys:
        text = binding.tooltip or binding.description
        lines.append(
            Content.from_markup(
                "  [bold]$keys[/] $text  [dim]$id[/]",
                keys=" ".join(shown).ljust(14),
                text=text,
                id=binding.id or "",
            )
        )
    return Content("\n").join(lines)
