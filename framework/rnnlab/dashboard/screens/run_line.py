"""The head of a run: its name and state, how far it is, and what the user should know."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from rnnlab.dashboard.feed.snapshot import RunSnapshot
from rnnlab.dashboard.screens.run_words import STATE_COLOURS, dot, model, notice, numbers, time_of_day
from rnnlab.dashboard.widgets.glyphs import Glyphs, fit

SHORTEST_BAR = 16
"""Columns; with less room the bar has a line of its own."""


class RunLine(Widget):
    """Two lines, or three where there is little room, and one more if there is something to say.

    The lines are: run and model; progress and numbers; the end of the run with its remedy.
    """

    DEFAULT_CSS = """
    RunLine { height: auto; width: 1fr; }
    """
    run: reactive[RunSnapshot | None] = reactive(None, layout=True)
    paused_at: reactive[int | None] = reactive(None, layout=True)
    """When the view was frozen, milliseconds since the epoch; None while it follows the run."""
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
            return [Content("no runs yet: press 4 to launch one, or type 'rnnlab run digits' in a shell")]
        lines = [self._head(run, width), *self._progress(run, width)]
        if self.paused_at is not None:
            text = f" PAUSED at {time_of_day(self.paused_at)} "
            rest = fit(" the run goes on; space shows it again", width - len(text), self._glyphs)
            lines.append(Content.assemble((text, "bold reverse"), rest))
        else:
            text, gravity = notice(run)
            if text:
                colour = {"error": "$text-error", "warning": "$text-warning"}.get(gravity, "$text-primary")
                style = f"bold {colour}" if gravity == "error" else colour
                lines.append(Content.styled(fit(text, width, self._glyphs), style))
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
        return Content.assemble(*parts, described, (position, "$text-muted"))

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
        return Content.assemble((full * done, colour), (empty * (width - done), "$text-muted"))
