"""A run in a few words: what it trains, how far it is, how it ended and what to do then."""

from __future__ import annotations

import time

from rnnlab.dashboard.feed.snapshot import RunSnapshot
from rnnlab.dashboard.widgets.axes import short
from rnnlab.dashboard.widgets.glyphs import Glyphs

STATE_COLOURS = {
    "running": "$text-success",
    "finished": "$text-primary",
    "stopped": "$text-warning",
    "failed": "$text-error",
    "crashed": "$text-error",
}
"""Of theme variables; other states have the colour of text."""


def dot(run: RunSnapshot, glyphs: Glyphs) -> str:
    """A mark that differs between states without colours too."""
    marks = {"running": glyphs.mark, "crashed": "!", "failed": "!", "stopped": "-"}
    return marks.get(run.state, glyphs.point)


def short_name(run_id: str) -> str:
    """The id without its date and time: "digits-lstm-1123-105548-7f98" is "digits-lstm-7f98"."""
    parts = run_id.rsplit("-", 3)
    if len(parts) == 4 and len(parts[1]) == 4 and len(parts[2]) == 6 and (parts[1] + parts[2]).isdigit():
        return f"{parts[0]}-{parts[3]}"
    return run_id


def model(run: RunSnapshot, glyphs: Glyphs) -> str:
    """Cell, size, data, backend and seed: "lstm h96 · digits · torch/cpu · seed 0"."""
    config = run.config
    cell, size = str(config.get("cell.type", "")), config.get("stack.hidden_size")
    layers = config.get("stack.num_layers", 1)
    first = f"{cell} h{size}" if size is not None else cell
    if layers not in (1, None):
        first += f" x{layers}"
    if config.get("stack.bidirectional"):
        first += " both ways"
    device = run.started.device if run.started else ""
    backend = f"{run.backend}/{device}" if run.backend and device else run.backend
    seed = f"seed {config['seed']}" if "seed" in config else ""
    parts = [first, str(config.get("dataset.type", "")), backend, seed]
    return f" {glyphs.separator} ".join(part for part in parts if part)


def clock(seconds: float) -> str:
    """A length of time: "04:12", "1:04:12", "2d 03:00"."""
    whole = max(0, round(seconds))
    days, rest = divmod(whole, 86400)
    hours, minutes, rest = rest // 3600, rest % 3600 // 60, rest % 60
    if days:
        return f"{days}d {hours:02d}:{minutes:02d}"
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


def numbers(run: RunSnapshot) -> list[str]:
    """How far it is and how fast, the most important first; what is not known is left out."""
    parts = [f"step {run.step:,}/{run.total_steps:,}" if run.total_steps else f"step {run.step:,}"]
    epochs = run.config.get("training.epochs")
    parts.append(f"epoch {run.epoch:.3g}" + (f"/{epochs}" if epochs else ""))
    if run.state == "running":
        parts.append(f"ETA {clock(run.eta_seconds) if run.eta_seconds is not None else '--:--'}")
    elif run.seconds is not None:
        parts.append(f"took {clock(run.seconds)}")
    if run.tokens_per_second is not None:
        parts.append(f"{run.tokens_per_second:,.0f} tok/s")
    for key, name in (("train/grad_norm", "grad"), ("train/learning_rate", "lr")):
        if key in run.last:
            parts.append(f"{name} {short(run.last[key])}")
    return parts


def notice(run: RunSnapshot) -> tuple[str, str]:
    """What the user should know of a run that is not simply running, and how grave it is.

    Returns:
        A line with the remedy, "" for nothing, and "information", "warning" or "error".
    """
    reason = run.problem or run.reason
    if run.problem:
        return f"part of this run cannot be read: {reason}", "error"
    if run.state == "crashed":
        return (
            f"crashed: {reason or 'no last word'}; u resumes at its last checkpoint, "
            f"{run.path / 'log.txt'} says more",
            "error",
        )
    if run.state == "failed":
        return (
            f"failed: {reason or 'no reason was given'}; u resumes it, r opens Launch to change it",
            "error",
        )
    if run.state == "stopped":
        return f"stopped: {reason or 'it was asked to'}; u resumes at step {run.step:,}", "warning"
    if run.state == "finished":
        scored = f"; {run.score[0]} {short(run.score[1])}" if run.score else ""
        return f"finished: {reason or 'done'}{scored}", "information"
    if run.state == "created":
        return f"its worker has not begun; if it never does, see {run.path / 'log.txt'}", "warning"
    return "", "information"


def time_of_day(milliseconds: int) -> str:
    """Local time, "12:00:02"."""
    return time.strftime("%H:%M:%S", time.localtime(milliseconds / 1000))
