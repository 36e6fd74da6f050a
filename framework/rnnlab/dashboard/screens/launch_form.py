"""The fields of the Launch screen: the choices, and a section for each part of an experiment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from rnnlab.dashboard.form import Field, Form, Section
from rnnlab.dashboard.form.choices import KIND_OF_SECTION
from rnnlab.dashboard.screens.launch_fields import FieldRow
from rnnlab.dashboard.screens.launch_source import FROM, source_field, source_label
from rnnlab.dashboard.widgets.glyphs import UNICODE, Glyphs

CHOICES = tuple(KIND_OF_SECTION)
HEADINGS = {"": "experiment"}


class SectionPanel(Vertical):
    """The fields of one section under a heading."""

    def __init__(self, name: str, glyphs: Glyphs = UNICODE) -> None:
        super().__init__(classes="section")
        self.section_name, self.glyphs = name, glyphs
        self.fields: tuple[Field, ...] = ()
        self.rows: dict[str, FieldRow] = {}
        self.error = ""
        self.heading = Static(Content(""), classes="heading")
        self._hidden = False
        self._title = ""

    def compose(self) -> ComposeResult:
        """Heading and error in one; the fields come by `sync`."""
        yield self.heading

    async def sync(self, section: Section | None, form: Form) -> None:
        """Have the rows of `section`, anew only if its fields are others; None for a section not there."""
        fields = section.fields if section else ()
        chosen = f" {self.glyphs.separator} {section.chosen}" if section and section.choice else ""
        title = HEADINGS.get(self.section_name, self.section_name) + chosen
        if title != self._title:
            self._title = title
            self._head()
        if fields != self.fields:
            self.fields = fields
            await self.remove_children(".field")
            self.rows = {
                field.key: FieldRow(field, form.value(field.key), form.text(field.key), self.glyphs)
                for field in fields
            }
            await self.mount_all(self.rows.values())
        else:
            for key, row in self.rows.items():
                row.take(form.field(key), form.value(key), form.text(key))
        self._show()

    def mark(self, error: str) -> None:
        """Show what is wrong with the section as a whole."""
        if error != self.error:
            self.error = error
            self._head()
            self._show()

    def narrow_down(self, wanted: str) -> None:
        """Show only the fields whose names hold `wanted`; all if their section's name does, or for ""."""
        whole = wanted in self._title.lower()
        for row in self.rows.values():
            row.display = whole or wanted in f"{row.field.title} {row.key}".lower()
        self._hidden = bool(wanted) and not any(row.display for row in self.rows.values())
        self._show()

    def _head(self) -> None:
        lines = [Content.styled(self._title, "bold $text-primary"), Content.styled(self.error, "$text-error")]
        self.heading.update(Content("\n").join(line for line in lines if line))

    def _show(self) -> None:
        self.display = bool(self.rows or self.error) and not self._hidden


class FormPane(VerticalScroll, inherit_bindings=False, can_focus=False):
    """All fields of a form."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "down", "step(1)", "Next field", show=False, id="launch.next_field", tooltip="To the next field"
        ),
        Binding(
            "up",
            "step(-1)",
            "Previous field",
            show=False,
            id="launch.previous_field",
            tooltip="To the field before",
        ),
        Binding(
            "pagedown",
            "leap(1)",
            "Next section",
            show=False,
            id="launch.next_section",
            tooltip="To the next section",
        ),
        Binding(
            "pageup",
            "leap(-1)",
            "Previous section",
            show=False,
            id="launch.previous_section",
            tooltip="To the section before",
        ),
    ]

    def __init__(self, glyphs: Glyphs = UNICODE) -> None:
        super().__init__(id="form")
        self.glyphs = glyphs
        self.choices: dict[str, FieldRow] = {}
        self.panels: dict[str, SectionPanel] = {}
        self._filter = ""
        self._top = Vertical(id="choices")

    def compose(self) -> ComposeResult:
        """The choices on top."""
        yield self._top

    @property
    def rows(self) -> Mapping[str, FieldRow]:
        """Every field's row, in the order they stand."""
        rows = dict(self.choices)
        for panel in self.panels.values():
            rows |= panel.rows
        return rows

    def typed(self) -> Iterator[tuple[str, str]]:
        """The keys of the texts, and what stands in their editors."""
        return ((key, row.typed) for key, row in self.rows.items() if row.typed is not None)

    async def sync(self, form: Form) -> None:
        """Show a form. Only what has other fields than before is built anew, so the keyboard stays."""
        for field in self._choice_fields(form):
            value = form.base.source if field.key == FROM else form.value(field.key)
            text = source_label(form) if field.key == FROM else field.text(value)
            if row := self.choices.get(field.key):
                row.take(field, value, text)
            else:
                row = self.choices[field.key] = FieldRow(field, value, text, self.glyphs)
                await self._top.mount(row)
        self.choices["decoder"].set_class("decoder" not in form.section_names, "-absent")
        sections = {name: form.section(name) for name in form.section_names}
        for name in (*sections, *(name for name in self.panels if name not in sections)):
            if name not in self.panels:
                await self._mount_panel(name, list(sections))
            await self.panels[name].sync(sections.get(name), form)
        self.filter(self._filter)
        self.mark(form)

    async def _mount_panel(self, name: str, order: list[str]) -> None:
        """A section that comes later, as a decoder's, stands where it belongs."""
        panel = SectionPanel(name, self.glyphs)
        later = [self.panels[other] for other in order[order.index(name) :] if other in self.panels]
        await self.mount(panel, before=later[0] if later else None)
        before = {known: self.panels[known] for known in order[: order.index(name)] if known in self.panels}
        self.panels = before | {name: panel} | self.panels

    def mark(self, form: Form, errors: Mapping[str, str] | None = None) -> None:
        """Show every error where it belongs, and what is changed."""
        errors = form.errors() if errors is None else errors
        changed = {change.key for change in form.changes()}
        for key, row in self.rows.items():
            row.mark(errors.get(key, ""), key in changed)
        for name, panel in self.panels.items():
            panel.mark("" if name in CHOICES else errors.get(name, ""))

    def filter(self, text: str) -> None:
        """Show only fields whose names hold the text."""
        self._filter = wanted = text.strip().lower()
        for row in self.choices.values():
            row.display = wanted in f"{row.field.title} {row.key}".lower() and not row.has_class("-absent")
        for panel in self.panels.values():
            panel.narrow_down(wanted)

    def reachable(self) -> list[FieldRow]:
        """The rows that the keyboard can reach, in order."""
        return [
            row
            for row in self.rows.values()
            if row.display and (row.parent is None or getattr(row.parent, "display", True))
        ]

    def focused(self) -> FieldRow | None:
        """The row that has the keyboard."""
        widget = self.screen.focused
        return (
            next((node for node in widget.ancestors_with_self if isinstance(node, FieldRow)), None)
            if (widget)
            else None
        )

    def action_step(self, by: int) -> None:
        """To the next field, or the previous one."""
        self._go(by, self.reachable())

    def action_leap(self, by: int) -> None:
        """To the next section's first field, or the previous one's."""
        rows = self.reachable()
        firsts = [row for at, row in enumerate(rows) if not at or row.parent is not rows[at - 1].parent]
        here = self.focused()
        at_first = next((row for row in firsts if here and row.parent is here.parent), None)
        self._go(by, firsts, at_first)

    def _go(self, by: int, rows: list[FieldRow], here: FieldRow | None = None) -> None:
        here = here or self.focused()
        if not rows:
            return
        at = rows.index(here) + by if here in rows else 0
        # At once: of keys that come together each goes on from where the one before went.
        self.screen.set_focus(rows[max(0, min(at, len(rows) - 1))].editor)

    def _choice_fields(self, form: Form) -> Iterator[Field]:
        yield source_field(form)
        for section in CHOICES:
            yield form.field(section)
