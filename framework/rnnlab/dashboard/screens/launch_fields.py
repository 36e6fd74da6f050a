"""One field of the Launch screen: its name, what it is edited with, and what is wrong with it below."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Switch

from rnnlab.dashboard.form import Field
from rnnlab.dashboard.form.field import same
from rnnlab.dashboard.screens.launch_editors import Choice, OnOff, TextEntry
from rnnlab.dashboard.widgets.glyphs import UNICODE, Glyphs

NAME = 22
"""Cells of the name, and of the blank before the editor."""


class FieldRow(Widget):
    """A field: the name, the editor, and the error below. All but the editor it draws itself."""

    class Edited(Message):
        """The user gave the field another value.

        Attributes:
            row: the row.
            value: a value of a choice or a switch, or the text typed.
        """

        def __init__(self, row: FieldRow, value: Any) -> None:
            super().__init__()
            self.row, self.value = row, value

    def __init__(self, field: Field, value: Any, text: str, glyphs: Glyphs = UNICODE) -> None:
        """
        Args:
            field: what it edits.
            value, text: what it says now, and how that is typed.
            glyphs: the characters to draw with.
        """
        super().__init__(classes="field")
        self.field, self.glyphs = field, glyphs
        self.key = field.key
        self.error = ""
        self.changed = False
        self.text = text
        self.editor = self._editor(value)

    def _editor(self, value: Any) -> TextEntry | Choice | OnOff:
        if self.field.kind == "choice":
            return Choice(self.field, label_of(self.field, value, self.text), self.glyphs)
        if self.field.kind == "switch" and isinstance(value, bool):
            return OnOff(value, self.glyphs)
        return TextEntry(self.field, self.text)

    def compose(self) -> ComposeResult:
        """The editor, to the right of the name."""
        yield self.editor

    def render(self) -> Content:
        """The name, and what is wrong below it, indented as the editor."""
        return Content("\n").join(self._lines(self.content_size.width))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The lines of both."""
        return len(self._lines(width))

    def _lines(self, width: int) -> list[Content]:
        """What it draws in `width` cells; the name shows where the keyboard is without colour too."""
        here = self.has_focus_within
        mark = self.glyphs.cursor if here else self.glyphs.mark if self.changed else " "
        look = "bold $text-accent" if here else "bold" if self.changed else ""
        lines = Content.styled(f"{mark} {self.field.title}", look).wrap(NAME - 1)
        if self.error and width > NAME:
            problem = Content.styled(self.error, "$text-error").wrap(width - NAME)
            lines += [Content.assemble(" " * NAME, line) for line in problem]
        return lines

    def take(self, field: Field, value: Any, text: str) -> None:
        """Show another value, or other options, that did not come from its editor."""
        self.field, self.text = field, text
        match self.editor:
            case Choice():
                self.editor.offer(field, label_of(field, value, text))
            case OnOff():
                with self.editor.prevent(Switch.Changed):
                    self.editor.value = bool(value)
            case TextEntry() if self.editor.value != text:
                with self.editor.prevent(Input.Changed):
                    self.editor.value = text
                self.editor.cursor_position = len(text)

    @property
    def shown(self) -> str:
        """What the editor says: a choice's label, or what is typed."""
        return self.editor.value if isinstance(self.editor, Choice) else self.text

    @property
    def typed(self) -> str | None:
        """What stands in a text's editor, told already or not; None for other editors."""
        return self.editor.value if isinstance(self.editor, TextEntry) else None

    def mark(self, error: str, changed: bool) -> None:
        """Show what is wrong with it, "" for nothing, and whether it is not as the base has it."""
        if error != self.error:
            self.error = error
            self.editor.set_class(bool(error), "-invalid")
            self.refresh(layout=True)
            if error and self.has_focus_within:
                self.call_after_refresh(self.scroll_visible, animate=False)
        if changed != self.changed:
            self.changed = changed
            self.refresh()

    def on_descendant_focus(self) -> None:
        """The keyboard is here."""
        self.refresh()

    def on_descendant_blur(self) -> None:
        """Not here any more."""
        self.refresh()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._edited(event.value, event.value)

    @on(Choice.Changed)
    def _chosen(self, event: Choice.Changed) -> None:
        event.stop()
        option = event.choice.known.get(event.label)
        value = option.value if option else event.label
        self._edited(value, event.label if self.key == "from" else self.field.text(value))

    @on(Switch.Changed)
    def _switched(self, event: Switch.Changed) -> None:
        event.stop()
        self._edited(event.value, self.field.text(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next(".field *")

    def _edited(self, value: Any, text: str) -> None:
        if text != self.text:  # a widget also tells of the value that it was made with
            self.text = text
            self.post_message(self.Edited(self, value))


def label_of(field: Field, value: Any, text: str) -> str:
    """The label of a choice's value; the text where it is none of the options."""
    return next((option.label for option in field.options if same(option.value, value)), text)
