"""The side pane of the Launch screen: the focused field, what the run would be, the command, what differs."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content

from rnnlab.dashboard.form import Change, Estimate, Field, Form, Verdict
from rnnlab.dashboard.screens.launch_check import Findings
from rnnlab.dashboard.screens.launch_source import FROM, source_label
from rnnlab.dashboard.widgets.glyphs import UNICODE, Glyphs, fit
from rnnlab.dashboard.widgets.steady import SteadyText

NARROWEST = 16
"""Cells below which a column of text is no help."""
BLOCKS = ("about", "verdict", "command", "changes")
UNSAVED = "no command yet: save it (ctrl+s) and one stands here; it can be started as it is (ctrl+r)"


class Details(VerticalScroll, can_focus=True):
    """The side pane.

    Attributes:
        command: the exact command of what the form says, one line; "" while it has none.
    """

    def __init__(self, glyphs: Glyphs = UNICODE) -> None:
        super().__init__(id="details")
        self.glyphs = glyphs
        self.command = ""
        self._shown: tuple[Field, str, str] | None = None
        self.parts = {name: SteadyText(Content(""), id=name, classes="block") for name in BLOCKS}

    def compose(self) -> ComposeResult:
        """The blocks, from top to bottom."""
        yield from self.parts.values()

    @property
    def brief(self) -> bool:
        """Whether there is little room, so that only what is needed most is told."""
        return self.screen.has_class("narrow") and not self.screen.has_class("-all")

    def show_field(self, field: Field, value: str, error: str) -> None:
        """Tell about the focused field.

        Args:
            field: the field.
            value: what it says now, as typed.
            error: what is wrong with it, "" for nothing.
        """
        self._shown = (field, value, error)
        key = "" if field.key in (FROM, field.title) else f"  {field.key}"
        title = Content.assemble((field.title, "bold"), (key, "dim"))
        limits = Content(self._limits(field))
        lines = [Content("  ").join([title, limits])] if self.brief else [title, limits]
        if error and not self.brief:  # there it stands under the field, in sight
            lines.append(Content.styled(error, "$text-error"))
        lines += [Content(line) for line in field.help.splitlines()]
        lines += self._options(field, value)
        self._put("about", [line for line in lines if line])

    def show_form(
        self, form: Form, findings: Findings, errors: dict[str, str], options: Sequence[str]
    ) -> None:
        """Tell what the form would run.

        Args:
            form: the form.
            findings: what is known of it from the plugins and past runs.
            errors: everything wrong with it.
            options: those of `rnnlab` itself that the command needs here.
        """
        verdict = list(self._verdict(findings, errors))
        separator = Content(f" {self.glyphs.separator} ")
        self._put("verdict", [separator.join(verdict)] if self.brief else verdict)
        self._put("changes", [] if self.brief else list(self._changes(form)))
        command = form.command()
        self.command = command.line(options) if command else ""
        self._put_command()

    def on_resize(self, event: events.Resize) -> None:
        """What is folded is folded to the width."""
        self._put_command()
        if self._shown is not None:
            self.show_field(*self._shown)

    def _put_command(self) -> None:
        width = self.parts["command"].content_region.width
        text = folded(self.command, width - 2) if self.command else ""
        lines = [] if self.brief else [Content.styled("command", "bold")]
        lines += [Content(f"$ {text}")] if text else [Content.styled(UNSAVED, "dim")]
        self._put("command", lines)

    def _put(self, name: str, lines: list[Content]) -> None:
        self.parts[name].say(Content("\n").join(lines))
        self.parts[name].display = bool(lines)

    def _limits(self, field: Field) -> str:
        if field.kind == "choice" and not field.name:
            return ""  # its options follow
        if field.required:
            return f"{field.expected}; required"
        default = field.text(field.default) or ("null" if field.default is None else "empty")
        return f"{field.expected}; default {default}" if field.expected else f"default {default}"

    def _options(self, field: Field, value: str) -> Iterator[Content]:
        if field.name:
            return
        options = [each for each in field.options if each.label == value or not self.brief]
        width = max((cell_len(each.label) for each in options), default=0)
        for option in options:
            chosen = option.label == value
            mark = self.glyphs.cursor if chosen else " "
            said = f"not now: {option.problem}" if option.problem else option.summary
            head = f"{mark} {fit(option.label, width, self.glyphs)}  "
            text = hanging(head, said, self.parts["about"].content_region.width)
            yield Content(text) if chosen else Content.styled(text, "dim")

    def _verdict(self, findings: Findings, errors: dict[str, str]) -> Iterator[Content]:
        if errors:
            fields = ", ".join(key or "experiment" for key in errors)
            yield Content.styled(f"not valid: {fields}", "$text-error bold")
            for key in ("", *(key for key in errors if "." not in key)):
                if errors.get(key):
                    yield Content.styled(errors[key], "$text-error")
            return
        if findings.check is None:
            yield Content.styled("being checked", "dim")
            return
        yield Content.styled("valid", "$text-success bold")
        if findings.size is None:
            yield Content.styled("counting the parameters", "dim")
            return
        yield from self._tell_size(findings.size, findings.estimate)

    def _tell_size(self, size: Verdict, told: Estimate | None) -> Iterator[Content]:
        yield Content(
            f"{size.parameters or 0:,} parameters {self.glyphs.separator} {size.steps or 0:,} steps"
        )
        if size.examples and not self.brief:
            yield Content(", ".join(f"{count:,} {split}" for split, count in size.examples.items()))
        unless = ", unless it measures another to be faster" if size.provisional else ""
        yield Content(f"runs on {size.backend}, {size.device}{unless}")
        if size.backend_reason and not self.brief:
            yield Content.styled(size.backend_reason, "dim")
        if told is None:
            unknown = "time not known" if self.brief else "no past run like it here to tell how long it takes"
            yield Content.styled(unknown, "dim")
            return
        like = "the same model and data" if told.exact else "the same cell and data set"
        runs = f"{told.runs} past run{'s' if told.runs > 1 else ''}"
        source = "" if self.brief else f" (from {runs} of {like})"
        yield Content(f"takes about {duration(told.seconds)}{source}")

    def _changes(self, form: Form) -> Iterator[Content]:
        blank = form.base.source is None
        changes = form.non_defaults() if blank else form.changes()
        of = "the defaults" if blank else source_label(form)
        if changes:
            yield from self._table(f"differs from {of}", changes)
        else:
            yield Content.styled(f"nothing differs from {of}", "dim")
        known = {change.key for change in changes}
        said = [] if blank else [change for change in form.non_defaults() if change.key not in known]
        if said:
            yield Content("")
            yield from self._table(f"set by {of}, not the default", said)

    def _table(self, heading: str, changes: Sequence[Change]) -> Iterator[Content]:
        yield Content.styled(heading, "bold")
        to = "→" if self.glyphs is UNICODE else "->"
        width = max(len(change.key) for change in changes)
        for change in changes:
            before, after = _plain(change.before), _plain(change.after)
            yield Content.assemble(f"  {change.key:{width}}  ", (before, "dim"), f" {to} ", (after, "bold"))


def hanging(head: str, text: str, width: int) -> str:
    """`head` and `text` on lines of at most `width` cells, the text in a column of its own."""
    column = cell_len(head)
    lines = textwrap.wrap(text, width - column) if width - column >= NARROWEST else [text]
    return ("\n" + " " * column).join([head + (lines or [""])[0], *lines[1:]]).rstrip()


def folded(command: str, width: int) -> str:
    """A command on lines of at most `width` cells where its words allow, as a shell reads them."""
    if len(command) <= width:
        return command
    lines, line = [], ""
    for word in map(shlex.quote, shlex.split(command)):
        if line and len(line) + len(word) + 3 > width:  # a space, and the backslash after another
            lines.append(line)
            line = "    " + word
        else:
            line = f"{line} {word}" if line else word
    return " \\\n".join([*lines, line])


def duration(seconds: float) -> str:
    """In words, to the precision that an estimate has."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours / 24:.1f} days"


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else "''" if value == "" else str(value)
