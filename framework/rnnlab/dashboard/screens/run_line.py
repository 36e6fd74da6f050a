"""The head of a run: its name and state, how far it is, and what the user should know."""

from __future__ import annotations

from textwrap import wrap

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from rnnlab.dashboard.feed.snapshot import RunSnapshot
from rnnlab.dashboard.screens.run_words import STATE_COLOURS, dot, model, notice, numbers, time_of_day
from rnnlab.dashboard.widgets.glyphs import Glyphs, fit, printable

SHORTEST_BAR = 16
"""Columns; with less room the bar has a line of its own."""
MOST_NOTICE_LINES = 3
"""Of the reason a run ended for; the log has all of it."""


class RunLine(Widget):
    """Two lines, or three where there is little room, and some more if there is something to say.

    The lines are: run and model; progress and numbers; the end of the run with its remedy.
    """

    DEFAULT_CSS = """
    RunLine { height: auto; width: 1fr; }
    """
    run: reactive[RunSnapshot | None] = reactive(None, layout=True)
    paused_at: reactive[int | None] = reactive(None, layout=True)
    """When the view was frozen, milliseconds since the epoch; None while it follows the run."""
    empty: reactive[str] = reactive("", layout=True)
    """Why there is no run to show."""
    position: reactive[str] = reactive("")
    """Which of the lab's runs it is, for example "2 of 5"."""

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        run = self.run
        if run is None:
            how = "press 4 to launch one, or type 'rnnlab run digits' in a shell"
            return [Content(fit(text, width, self._glyphs)) for text in (self.empty, how)]
        lines = [self._head(run, width), *self._progress(run, width)]
        if self.paused_at is not None:
            text = f" PAUSED at {time_of_day(self.paused_at)} "
            rest = fit(
                " what you see is frozen, the run is not; space follows it again",
                width - len(text),
                self._glyphs,
            )
            lines.append(Content.assemble((text, "bold reverse"), rest))
        else:
            text, gravity = notice(run)
            if text:
                colour = {"error": "$text-error", "warning": "$text-warning"}.get(gravity, "$text-primary")
                style = f"bold {colour}" if gravity == "error" else colour
                lines += [Content.styled(line, style) for line in self._wrapped(text, width)]
        return lines

    def _wrapped(self, text: str, width: int) -> list[str]:
        """The text on as few lines as it needs; a very long one is cut."""
        lines = wrap(printable(text), max(width, 10)) or [""]
        if len(lines) > MOST_NOTICE_LINES:
            rest = " ".join(lines[MOST_NOTICE_LINES - 1 :])
            lines = [*lines[: MOST_NOTICE_LINES - 1], fit(rest, width, self._glyphs)]
        return lines

    def _head(self, run: RunSnapshot, width: int) -> Content:
        colour = STATE_COLOURS.get(run.state, "")
        parts = [
            Content.styled(dot(run, self._glyphs) + " ", colour),
            Content.styled(run.id, "bold"),
            Content.styled(f"  {run.state}", colour),
        ]
        room = width - sum(part.cell_length for part in parts)
        position = f"  {self.position}" if self.position else ""
        described = fit(f"  {model(run, self._glyphs)}", max(0, room - len(position)), self._glyphs)
        return Content.assemble(*parts, described, (position, "$foreground 60%"))

    def _progress(self, run: RunSnapshot, width: int) -> list[Content]:
        """The bar and its share, and the numbers, on one line if there is room for both."""
        share = f" {run.progress:4.0%}  " if run.total_steps else ""
        words = numbers(run)
        if not share:
            return [Content(fit("  ".join(words), width, self._glyphs))]
        text = "  ".join(words)
        bar = width - len(share) - len(text)
        if bar >= SHORTEST_BAR:
            return [Content.assemble(self._bar(run, bar), share, text)]
        # The last numbers go first: what they say stands in the charts too.
        while len(words) > 1 and len("  ".join(words)) > width:
            words.pop()
        bar = width - len(share.rstrip())
        return [
            Content.assemble(self._bar(run, bar), share.rstrip()),
            Content(fit("  ".join(words), width, self._glyphs)),
        ]

    def _bar(self, run: RunSnapshot, width: int) -> Content:
        full, empty = ("━", "─") if self._glyphs.name == "unicode" else ("#", "-")
        done = int(run.progress * width)
        colour = STATE_COLOURS.get(run.state, "")
        return Content.assemble((full * done, colour), (empty * (width - done), "$foreground 30%"))
