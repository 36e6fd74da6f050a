"""One field of the Launch screen: its name, what it is edited with, and what is wrong with it below."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Select, Static, Switch

from rnnlab.dashboard.form import Field
from rnnlab.dashboard.form.field import same
from rnnlab.dashboard.widgets.glyphs import UNICODE, Glyphs

NUMBERS = ("integer", "number")


class TextEntry(Input):
    """A text of one line. A number has no `/` in it, so there the key is left to the screen."""

    def __init__(self, field: Field, text: str) -> None:
        self.numeric = field.kind in NUMBERS
        missing = "required" if field.required else "null" if field.nullable else ""
        super().__init__(text, placeholder=missing, compact=True)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether the key is typed into it."""
        return not (self.numeric and character == "/") and super().check_consume_key(key, character)

    async def _on_key(self, event: events.Key) -> None:
        if self.numeric and event.character == "/":
            event.prevent_default()  # but not stopped: it goes on to the screen's binding
            return
        await super()._on_key(event)


class Choice(Select[str], inherit_bindings=False):
    """One of a field's options, by label. Up and down are left to the form, left and right change it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter,space",
            "show_overlay",
            "Choose",
            show=False,
            id="launch.choose",
            tooltip="Show what there is to choose from",
        ),
        Binding(
            "left",
            "shift(-1)",
            "Previous value",
            show=False,
            id="launch.previous_value",
            tooltip="Take the value before",
        ),
        Binding(
            "right",
            "shift(1)",
            "Next value",
            show=False,
            id="launch.next_value",
            tooltip="Take the next value",
        ),
    ]

    def __init__(self, field: Field, label: str, glyphs: Glyphs = UNICODE) -> None:
        self.glyphs = glyphs
        self.known = {option.label: option for option in field.options}
        self._rows = _options(field, label)
        known = any(label == value for _, value in self._rows)
        super().__init__(
            self._rows,
            prompt="required" if field.required else "none",
            allow_blank=not known,
            value=label if known else Select.NULL,
            compact=True,
        )

    def on_mount(self) -> None:
        """Without UTF-8 the arrows are letters."""
        for arrow, mark in ((".down-arrow", self.glyphs.descending), (".up-arrow", self.glyphs.ascending)):
            self.query_one(arrow, Static).update(mark)

    def offer(self, field: Field, label: str) -> None:
        """Other options, or another one chosen; says nothing of it."""
        rows = _options(field, label)
        self.known = {option.label: option for option in field.options}
        with self.prevent(Select.Changed):
            if rows != self._rows:
                self._rows = rows
                self._allow_blank = not any(label == value for _, value in rows)
                self.set_options(rows)
            if self.value != label and any(label == value for _, value in rows):
                self.value = label

    def action_shift(self, by: int) -> None:
        """Take the next option that can be chosen, or the previous one."""
        labels = [label for label, option in self.known.items() if not option.problem]
        if not labels:
            return
        at = labels.index(str(self.value)) + by if self.value in labels else 0
        self.value = labels[at % len(labels)]


class OnOff(Switch):
    """A switch that can be read without colours."""

    def __init__(self, value: bool, glyphs: Glyphs = UNICODE) -> None:
        super().__init__(value, animate=False)
        self.glyphs = glyphs

    def render(self) -> Content:  # type: ignore[override]
        """`━━● on` or `●━━ off`."""
        line, knob = self.glyphs.swatch, self.glyphs.mark
        if self.value:
            return Content.assemble((f"{line}{line}{knob}", "$text-success"), " on")
        return Content.assemble((f"{knob}{line}{line}", "$foreground 60%"), " off")

    def get_content_width(self, container: Any, viewport: Any) -> int:
        """Of the longer of both."""
        return len("--o off")


class FieldRow(Vertical):
    """A field: the name, the editor, and the error below."""

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
        self.label = Static(Content(""), classes="label")
        self.problem = Static(Content(""), classes="problem")
        self.editor = self._editor(value)

    def _editor(self, value: Any) -> TextEntry | Choice | OnOff:
        if self.field.kind == "choice":
            return Choice(self.field, label_of(self.field, value, self.text), self.glyphs)
        if self.field.kind == "switch" and isinstance(value, bool):
            return OnOff(value, self.glyphs)
        return TextEntry(self.field, self.text)

    def compose(self) -> ComposeResult:
        """The line, and the error's below it."""
        yield Horizontal(self.label, self.editor, classes="line")
        yield self.problem

    def on_mount(self) -> None:
        """The name; errors come by `mark`."""
        self._show_name()

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
        return str(self.editor.value) if isinstance(self.editor, Choice) else self.text

    @property
    def typed(self) -> str | None:
        """What stands in a text's editor, told already or not; None for other editors."""
        return self.editor.value if isinstance(self.editor, TextEntry) else None

    def mark(self, error: str, changed: bool) -> None:
        """Show what is wrong with it, "" for nothing, and whether it is not as the base has it."""
        if error != self.error:
            self.error = error
            self.problem.update(Content(error))
            self.set_class(bool(error), "-wrong")
            self.editor.set_class(bool(error), "-invalid")
            if error and self.has_focus_within:
                self.call_after_refresh(self.scroll_visible, animate=False)
        if changed != self.changed:
            self.changed = changed
            self.set_class(changed, "-changed")
            self._show_name()

    def on_descendant_focus(self) -> None:
        """The name shows where the keyboard is, without colour too."""
        self._show_name(focused=True)

    def on_descendant_blur(self) -> None:
        """Not here any more."""
        self._show_name(focused=False)

    def _show_name(self, focused: bool | None = None) -> None:
        here = self.has_focus_within if focused is None else focused
        mark = self.glyphs.cursor if here else self.glyphs.mark if self.changed else " "
        self.label.update(Content(f"{mark} {self.field.title}"), layout=False)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._edited(event.value, event.value)

    @on(Select.Changed)
    def _selected(self, event: Select.Changed) -> None:
        event.stop()
        if event.value is Select.NULL or not isinstance(self.editor, Choice):
            return
        label = str(event.value)
        option = self.editor.known.get(label)
        value = option.value if option else label
        self._edited(value, label if self.key == "from" else self.field.text(value))

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


def _options(field: Field, label: str) -> list[tuple[str, str]]:
    """What a list shows of the options, and their labels; a value that is none of them is kept."""
    rows = [
        (f"{option.label} (not now)" if option.problem else option.label, option.label)
        for option in field.options
    ]
    if label and all(label != value for _, value in rows):
        rows.append((f"{label} (not known)", label))
    return rows
