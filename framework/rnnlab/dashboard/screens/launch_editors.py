"""What a field of the Launch screen is edited with: a text, a choice or a switch."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Switch
from textual.widgets._select import SelectOverlay

from rnnlab.dashboard.form import Field
from rnnlab.dashboard.widgets.glyphs import UNICODE, Glyphs, fit

NUMBERS = ("integer", "number")
FAINT = "$foreground 50%"


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

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """As any widget's, without a new layout of the screen: what is typed changes no size."""
        return super().refresh(*regions, repaint=repaint, layout=False, recompose=recompose)


class Choice(Widget, can_focus=True):
    """One of a field's options, by label. Up and down are left to the form, left and right change it.

    Attributes:
        value: the label of the one chosen, or whatever else the field says; "" for nothing.
        known: the field's options by their labels.
    """

    ALLOW_SELECT = False
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

    class Changed(Message):
        """Another option was chosen.

        Attributes:
            choice: where. label: its label.
        """

        def __init__(self, choice: Choice, label: str) -> None:
            super().__init__()
            self.choice, self.label = choice, label

    def __init__(self, field: Field, label: str, glyphs: Glyphs = UNICODE) -> None:
        super().__init__()
        self.glyphs = glyphs
        self.menu: SelectOverlay | None = None
        self._nothing = "required" if field.required else "none"
        self.offer(field, label)

    @property
    def opened(self) -> bool:
        """Whether it shows what there is to choose from."""
        return self.menu is not None and self.menu.display

    def offer(self, field: Field, label: str) -> None:
        """Other options, or another one chosen; says nothing of it."""
        self.value = label
        self.known = {option.label: option for option in field.options}
        self.refresh()

    def render(self) -> Content:
        """The label, and an arrow at the end."""
        said = self._said(self.value) if self.value else self._nothing
        arrow = self.glyphs.ascending if self.opened else self.glyphs.descending
        label = fit(said, self.content_size.width - 4, self.glyphs)
        return Content.assemble(" ", (label, "" if self.value else FAINT), (f" {arrow} ", FAINT))

    def action_shift(self, by: int) -> None:
        """Take the next option that can be chosen, or the previous one."""
        labels = [label for label, option in self.known.items() if not option.problem]
        if not labels:
            return
        at = labels.index(self.value) + by if self.value in labels else 0
        self._choose(labels[at % len(labels)])

    async def action_show_overlay(self) -> None:
        """Show the options in a menu, which is there from the first time on."""
        if self.menu is None:
            self.menu = SelectOverlay()
            self.menu.compact = True
            await self.mount(self.menu)
        labels = self._labels()
        self.menu.set_options(map(self._said, labels))
        self.menu.select(labels.index(self.value) if self.value else 0)
        self._open(True)
        self.menu.focus(scroll_visible=False)

    async def on_click(self, event: events.Click) -> None:
        """Open the menu; when it is open, a click outside it has closed it already."""
        if event.widget is self:
            await self.action_show_overlay()

    @on(SelectOverlay.UpdateSelection)
    def _selected(self, event: SelectOverlay.UpdateSelection) -> None:
        event.stop()
        self.focus()
        self._open(False)
        self._choose(self._labels()[event.option_index])

    @on(SelectOverlay.Dismiss)
    def _dismissed(self, event: SelectOverlay.Dismiss) -> None:
        event.stop()
        self._open(False)
        if not event.lost_focus:
            self.focus()

    def _labels(self) -> list[str]:
        """Those of the options; a value that is none of them is kept as the last."""
        return [*self.known, *([self.value] if self.value and self.value not in self.known else [])]

    def _said(self, label: str) -> str:
        option = self.known.get(label)
        return f"{label} (not known)" if option is None else f"{label} (not now)" if option.problem else label

    def _open(self, opened: bool) -> None:
        if self.menu is not None:
            self.menu.display = opened
            self.refresh()

    def _choose(self, label: str) -> None:
        if label != self.value:
            self.value = label
            self.refresh()
            self.post_message(self.Changed(self, label))


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
