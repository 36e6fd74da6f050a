"""The first and the last line of every screen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from rich.cells import cell_len
from textual.binding import Binding
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

from rnnlab.dashboard.feed.snapshot import LabSnapshot, System
from rnnlab.dashboard.widgets.glyphs import Glyphs

TABS = (
    ("1", "runs", "Runs"),
    ("2", "live", "Live"),
    ("3", "compare", "Compare"),
    ("4", "launch", "Launch"),
    ("5", "sweeps", "Sweeps"),
    ("6", "plugins", "Plugins"),
)
"""Key, mode and label of each screen."""
HELP = "app.help"
"""The name of the binding that the last line always shows."""


class Line(Widget):
    """One line across the screen, parts of which can be clicked."""

    DEFAULT_CSS = """
    Line {
        height: 1; background: $panel; color: $foreground;
        link-color: $foreground; link-background: transparent; link-style: none;
        link-color-hover: $foreground; link-background-hover: $primary 50%; link-style-hover: none;
    }
    """

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs


class HeaderLine(Line):
    """The tabs, and how the machine is doing where there is room for it."""

    DEFAULT_CSS = """
    HeaderLine { dock: top; }
    """
    snapshot: reactive[LabSnapshot | None] = reactive(None)

    def render(self) -> Content:
        parts = ["[bold $text-primary] rnnlab [/]"]
        for default, mode, label in TABS:
            key = key_of(self.screen, f"app.{mode}") or default
            look = "bold reverse" if mode == self.app.current_mode else "dim"
            parts.append(f"[{look} @click=app.mode('{mode}')] {key} {label} [/]")
        tabs = Content.from_markup("".join(parts))
        room = self.size.width - tabs.cell_length - 1
        status = next((text for text in self._status() if cell_len(text) <= room), "")
        return Content.assemble(tabs, " " * (room - cell_len(status)), status)

    def _status(self) -> list[str]:
        """What to say on the right, the longest first."""
        if self.snapshot is None:
            return []
        if self.snapshot.problem:
            return [self.snapshot.problem, "cannot read the lab"]
        running = sum(run.state == "running" for run in self.snapshot.runs)
        short = f"{self._glyphs.mark} {running} running" if running else ""
        system = machine(self.snapshot.system)
        loading = f"reading {self.snapshot.loading}" if self.snapshot.loading else ""
        return [
            "  ".join(filter(None, parts))
            for parts in ((loading, short, *system), (short, *system), (short,))
        ]


def key_of(screen: Screen[object], name: str) -> str:
    """The first key of a binding as the user has it now; "" if it has none here."""
    every = (active.binding for active in screen.active_bindings.values())
    return next((screen.app.get_key_display(binding) for binding in every if binding.id == name), "")


def machine(system: System) -> tuple[str, ...]:
    """Processor, memory and GPU in a few words; nothing before they were measured."""
    if not system.memory_total_bytes:
        return ()
    words = [f"cpu {system.cpu_percent:.0f}%"]
    if system.gpu is not None:
        words.append(f"gpu {system.gpu.percent:.0f}% {gigabytes(system.gpu.memory_bytes)}")
    return (*words, f"mem {gigabytes(system.memory_bytes)}")


def gigabytes(count: int) -> str:
    """Bytes as "6.1G"."""
    return f"{count / 1e9:.1f}G"


class KeyLine(Line):
    """The keys that do something here, as many as there is room for, and always the one for help.

    Where there is too little room those of `spare` go first, in that order; then those at the end.
    """

    DEFAULT_CSS = """
    KeyLine { dock: bottom; }
    """

    def __init__(self, glyphs: Glyphs, spare: Sequence[str] = ()) -> None:
        """
        Args:
            glyphs: the characters to draw with.
            spare: names of bindings that are the least needed here.
        """
        super().__init__(glyphs)
        self._spare = spare

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        self.refresh()

    def render(self) -> Content:
        last = [self._key(binding) for binding in self._help()]
        room = self.size.width - sum(part.cell_length for part in last)
        parts = [(binding.id, self._key(binding)) for binding in self._keys()]
        for name in self._spare:
            if sum(part.cell_length for _, part in parts) > room:
                parts = [(own, part) for own, part in parts if own != name]
        ends = accumulate(part.cell_length for _, part in parts)
        shown = [part for (_, part), end in zip(parts, ends, strict=True) if end <= room]
        return Content.assemble(*shown, *last)

    def _keys(self) -> list[Binding]:
        """Those to be shown: one for each action, the focused widget's before the screen's."""
        found: dict[str, Binding] = {}
        for active in self.screen.active_bindings.values():
            if active.binding.show and active.enabled and active.binding.description:
                found.setdefault(active.binding.action, active.binding)
        return list(found.values())

    def _help(self) -> list[Binding]:
        """The first key for help, whichever the user has given it."""
        every = (active.binding for active in self.screen.active_bindings.values())
        return [binding for binding in every if binding.id == HELP][:1]

    def _key(self, binding: Binding) -> Content:
        shown = self.app.get_key_display(binding)
        return Content.from_markup(
            f"[@click=app.simulate_key('{binding.key}')] [bold $text-primary]$key[/] $label[/]",
            key=shown,
            label=binding.description,
        )
