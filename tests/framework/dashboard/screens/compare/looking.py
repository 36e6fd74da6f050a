"""Opening Compare, and reading what it shows."""

from rnnlab.dashboard.app import Dashboard
from rnnlab.dashboard.screens.compare import CompareScreen
from rnnlab.dashboard.widgets.line_chart import LineChart


class Alone(Dashboard):
    """Does not look at what is installed."""

    def look_at_plugins(self, anew: bool = False) -> None:
        pass


async def compare(stage, run_ids):
    """Open Compare on them, read whole."""
    await stage.until(lambda: len(stage.app.snapshot.runs) >= len(run_ids) and not stage.app.snapshot.loading)
    stage.app.open_compare(run_ids)
    await stage.until(
        lambda: isinstance(stage.screen, CompareScreen) and len(stage.screen.runs) == len(run_ids)
    )
    await stage.pilot.pause()
    return stage.screen


def chart(stage):
    return stage.app.screen.query_one(LineChart)


def row(stage, label):
    """The words of the table's row."""
    lines = [line.split("│")[-1].split() for line in stage.lines()]
    return next(line[1:] for line in lines if line and line[0] == label)


async def told(stage, text):
    """Wait until a notice says so."""
    await stage.until(lambda: any(text in notice.message for notice in stage.app._notifications))


def colours(stage, letter):
    """Of each place where the letter stands alone, but for the line of keys."""
    found = []
    for strip in stage.app.screen._compositor.render_strips()[:-1]:
        cells = [(character, segment.style) for segment in strip for character in segment.text]
        text = "".join(character for character, _ in cells)
        for at, (character, style) in enumerate(cells):
            beside = text[max(at - 1, 0) : at] + text[at + 1 : at + 2]
            if character == letter and not any(other.isalnum() for other in beside):
                found.append(style.color.triplet.hex)
    return found
