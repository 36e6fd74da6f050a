"""The side pane of the Launch screen: the focused field, what the run would be, the command, what differs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from rnnlab.dashboard.form import Change, Field, Form, Verdict
from rnnlab.dashboard.screens.launch_check import Findings
from rnnlab.dashboard.screens.launch_form import FROM, source_label
from rnnlab.dashboard.widgets.glyphs import UNICODE, Glyphs

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
        self.parts = {name: Static(Content(""), id=name, classes="block") for name in BLOCKS}

    def compose(self) -> ComposeResult:
        """The blocks, from top to bottom."""
        yield from self.parts.values()

    @property
    def brief(self) -> bool:
        """Whether there is little room, so that only what is needed most is told."""
        return self.screen.has_class("narrow") and not self.screen.has_class("-all")

    def show_field(self, form: Form, field: Field, value: str, error: str) -> None:
        """Tell about the focused field.

        Args:
            form: the form it is of.
            field: it.
            value: what it says now, as typed.
            error: what is wrong with it, "" for nothing.
        """
        key = "" if field.key in (FROM, field.title) else f"  {field.key}"
        title = Content.assemble((field.title, "bold"), (key, "dim"))
        limits = Content(self._limits(field))
        lines = [Content("  ").join([title, limits])] if self.brief else [title, limits]
        if error and not self.brief:  # there it stands under the field, in sight
            lines.append(Content.styled(error, "$text-error"))
        lines += [Content(line) for line in field.help.splitlines()]
        lines += [Content.styled(line, "dim") for line in self._options(field, value)]
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
        """The command is folded to the width."""
        self._put_command()

    def _put_command(self) -> None:
        width = self.parts["command"].content_region.width
        text = folded(self.command, width - 2) if self.command else ""
        lines = [] if self.brief else [Content.styled("command", "bold")]
        lines += [Content(f"$ {text}")] if text else [Content.styled(UNSAVED, "dim")]
        self._put("command", lines)

    def _put(self, name: str, lines: list[Content]) -> None:
        self.parts[name].update(Content("\n").join(lines))
        self.parts[name].display = bool(lines)

    def _limits(self, field: Field) -> str:
        if field.kind == "choice" and not field.name:
            return ""  # its options follow
        if field.required:
            return f"{field.expected}; required"
        default = field.text(field.default) or ("null" if field.default is None else "empty")
        return f"{field.expected}; default {default}" if field.expected else f"default {default}"

    def _options(self, field: Field, value: str) -> Iterator[str]:
        if field.name:
            return
        for option in field.options:
            if self.brief and option.label != value:
                continue
            mark = self.glyphs.cursor if option.label == value else " "
            said = f"not now: {option.problem}" if option.problem else option.summary
            yield f"{mark} {option.label}  {said}".rstrip()

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
        yield from self._tell_size(findings.size, findings)

    def _tell_size(self, size: Verdict, findings: Findings) -> Iterator[Content]:
        if size.problems:
            yield from (Content.styled(problem, "$text-error") for problem in size.problems)
            return
        examples = ", ".join(f"{count:,} {split}" for split, count in size.examples.items())
        yield Content(
            f"{size.parameters or 0:,} parameters {self.glyphs.separator} {size.steps or 0:,} steps"
        )
        if examples:
            yield Content(f"{examples}")
        yield Content(f"runs on {size.backend}, {size.device}")
        told = findings.estimate
        if told is None:
            yield Content.styled("no past run like it here to tell how long it takes", "dim")
            return
        like = "the same model and data" if told.exact else "the same cell and data set"
        runs = f"{told.runs} past run{'s' if told.runs > 1 else ''}"
        yield Content(f"takes about {duration(told.seconds)} (from {runs} of {like})")

    def _changes(self, form: Form) -> Iterator[Content]:
        blank = form.base.source is None
        changes = form.non_defaults() if blank else form.changes()
        of = "the defaults" if blank else source_label(form)
        if not changes:
            yield Content.styled(f"nothing differs from {of}", "dim")
        else:
            yield Content.styled(f"differs from {of}", "bold")
            yield from map(self._change, changes)
        known = {change.key for change in changes}
        said = [] if blank else [change for change in form.non_defaults() if change.key not in known]
        if said:
            yield Content("")
            yield Content.styled(f"set by {of}, not the default", "bold")
            yield from map(self._change, said)

    def _change(self, change: Change) -> Content:
        to = "→" if self.glyphs is UNICODE else "->"
        return Content.assemble(
            f"  {change.key}  ", (_plain(change.before), "dim"), f" {to} ", (_plain(change.after), "bold")
        )


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
