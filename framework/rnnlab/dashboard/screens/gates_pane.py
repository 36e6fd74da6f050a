"""What the gates of a run did while it read one example: units beside time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnlab.dashboard.feed.snapshot import RunSnapshot
from rnnlab.dashboard.widgets.glyphs import Glyphs
from rnnlab.dashboard.widgets.heatmap import Heatmap
from rnnlab.lab.events import Gates

GATES = {"i": "input gate", "f": "forget gate", "o": "output gate", "z": "update gate", "r": "reset gate"}
STATES = {"g": "candidate", "n": "candidate", "c": "cell state", "h": "hidden state"}
"""What the letters mean that cells usually go by; any other name stands for itself."""

SCALE_ROOM = 16
"""Cells that the scale takes, and a gap before it."""


class GatesPane(Heatmap):
    """A heatmap of one gate or state of one layer and direction."""

    def __init__(self, glyphs: Glyphs, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__("gates", glyphs=glyphs, id=id, classes=classes)
        self.event: Gates | None = None
        self.gate = ""
        """As the cell calls it; "" before there is one."""
        self.place = (0, 0)
        """Layer and direction, from 0."""

    @property
    def gates(self) -> list[str]:
        """The names of the gates and states there are in the layer shown."""
        return list(self._layer()["gates"]) if self._layers() else []

    @property
    def places(self) -> list[tuple[int, int]]:
        """Layer and direction of each record there is."""
        return [_place(layer) for layer in self._layers()]

    def set_run(self, run: RunSnapshot | None) -> None:
        """Show the latest gates of `run`; gate and layer stay what they were if it has them."""
        event = run.gates if run is not None else None
        active = run is not None and (run.state in ("running", "created") or not run.complete)
        empty = "none yet: they come with an evaluation" if active else "this run wrote none"
        if event is self.event and empty == self.empty:
            return
        self.event, self.empty = event, empty
        self._choose()

    def next_gate(self, by: int) -> None:
        """Show another gate or state of this layer."""
        if names := self.gates:
            self.gate = names[(names.index(self.gate) + by) % len(names)]
            self._choose()

    def next_layer(self, by: int) -> None:
        """Show the same gate of another layer or direction."""
        if places := self.places:
            self.place = places[(places.index(self.place) + by) % len(places)]
            self._choose()

    def _layers(self) -> Sequence[Mapping[str, Any]]:
        return [layer for layer in self.event.layers if layer.get("gates")] if self.event else []

    def _layer(self) -> Mapping[str, Any]:
        layers = self._layers()
        return next((layer for layer in layers if _place(layer) == self.place), layers[0])

    def _choose(self) -> None:
        """Draw what is chosen, or the nearest thing to it there is."""
        if not self._layers():
            self.title = "gates"
            self.set_values(np.empty((0, 0)), 0.0, 1.0)
            return
        layer = self._layer()
        self.place = _place(layer)
        if self.gate not in layer["gates"]:
            self.gate = next(iter(layer["gates"]))
        values = np.array(layer["gates"][self.gate], dtype=float)
        values = values.T if values.ndim == 2 else np.empty((0, 0))
        low, high = value_range(values)
        self.title = self._title()
        source = self.event.source if self.event else ""
        self.set_values(
            values,
            low,
            high,
            "unit",
            "time",
            [str(unit) for unit in layer.get("units", ())],
            step_names(source, values.shape[1]),
        )

    def on_resize(self) -> None:
        if self._layers():
            self.title = self._title()

    def _title(self) -> str:
        """What is shown; the step only where the scale has room beside it."""
        layers = {layer for layer, _ in self.places}
        directions = {direction for _, direction in self.places}
        words = GATES.get(self.gate) or STATES.get(self.gate)
        title = f"{words} {self.gate}" if words else self.gate
        if len(layers) > 1:
            title += f", layer {self.place[0] + 1}/{len(layers)}"
        if len(directions) > 1:
            title += ", backward" if self.place[1] else ", forward"
        with_step = f"{title}, step {self.event.step if self.event else 0:,}"
        return with_step if len(with_step) + SCALE_ROOM <= self.size.width else title


def value_range(values: np.ndarray) -> tuple[float, float]:
    """What the colours stand for: 0 to 1 for gates, -1 to 1 for states within it, else as far as they go."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    if low >= -1 and high <= 1:
        return (0.0, 1.0) if low >= 0 else (-1.0, 1.0)
    reach = max(abs(low), abs(high))
    return (0.0, reach) if low >= 0 else (-reach, reach)


def step_names(source: str, steps: int) -> list[str]:
    """The tokens of the example, where they can be told apart: words or characters, as many as steps.

    Text that gives neither is numbered instead, and so is one of which only a part is shown.
    """
    for tokens in (source.split(), list(source)):
        if len(tokens) == steps:
            return tokens
    return []


def _place(layer: Mapping[str, Any]) -> tuple[int, int]:
    return int(layer.get("layer", 0)), int(layer.get("direction", 0))
