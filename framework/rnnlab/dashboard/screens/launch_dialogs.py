"""Asking for the path of a file."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input, Static

YAML = (".yaml", ".yml")


class Paths(Suggester):
    """The first folder or file that a typed path may become; the right arrow takes it."""

    def __init__(self, suffixes: tuple[str, ...]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._suffixes = suffixes

    async def get_suggestion(self, value: str) -> str | None:
        """What `value` may become, None if nothing."""
        folder, _, begun = value.rpartition("/")
        place = Path(f"{folder}/").expanduser() if folder or value.startswith("/") else Path()
        try:
            found = sorted(place.iterdir(), key=lambda path: (path.is_dir(), path.name))
        except OSError:
            return None
        for path in found:
            if path.name.startswith(begun) and path.name != begun and begun + path.name[:1] != ".":
                if path.is_dir():
                    return f"{value[: len(value) - len(begun)]}{path.name}/"
                if path.suffix in self._suffixes:
                    return f"{value[: len(value) - len(begun)]}{path.name}"
        return None


class PathDialog(ModalScreen["Path | None"]):
    """Asks for a path; dismissed with it, or with None."""

    DEFAULT_CSS = """
    PathDialog { align: center middle; }
    PathDialog #dialog { width: 90%; max-width: 100; height: auto; padding: 1 2; background: $panel; }
    PathDialog Input { margin: 1 0; background: $boost; }
    PathDialog #said { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape", "dismiss", "Cancel", id="launch.cancel", tooltip="Close this without doing anything"
        ),
    ]

    def __init__(self, title: str, path: str, saving: bool, suffixes: tuple[str, ...] = YAML) -> None:
        """
        Args:
            title: what it is for.
            path: what the line says at first.
            saving: whether the file will be written: one that exists is asked about. Else it must exist.
            suffixes: what a name that is saved must end in, the usual one first.
        """
        super().__init__()
        self.title_line, self.path, self.saving, self.suffixes = title, path, saving, suffixes
        self._agreed: Path | None = None

    def compose(self) -> ComposeResult:
        """The question, the line, and what is wrong with it."""
        with Vertical(id="dialog"):
            yield Static(Content.styled(self.title_line, "bold"))
            yield Input(
                self.path,
                placeholder=f"path of a {self.suffixes[0]} file",
                suggester=Paths(self.suffixes),
                select_on_focus=False,
                compact=True,
            )
            yield Static(Content("enter: do it   right: complete   esc: cancel"), id="said")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._agreed = None  # another file: asked about anew

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        path = Path(text).expanduser()
        if not text:
            self._say("expected the path of a file, got nothing")
        elif path.is_dir():
            self._say(f"{path} is a folder; name a file in it")
        elif not self.saving:
            if path.is_file():
                self.dismiss(path)
            else:
                self._say(f"there is no file {path}")
        elif path.suffix not in self.suffixes:
            self._say(f"expected a name that ends in {self.suffixes[0]}, got {path.name}")
        elif path.exists() and self._agreed != path:
            self._agreed = path
            self._say(f"{path} exists; enter again replaces it, esc cancels")
        else:
            self.dismiss(path)

    def _say(self, line: str) -> None:
        self.query_one("#said", Static).update(Content.styled(line, "$text-error"))
