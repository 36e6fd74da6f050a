"""The built-in cells."""

from __future__ import annotations

from collections.abc import Iterator

from rnnlab.api import CellSpec, hookimpl


@hookimpl
def rnnlab_cells() -> Iterator[CellSpec]:
    yield CellSpec(
        name="rnn",
        target="rnnlab_plugins.cells.rnn:RNN",
        config="rnnlab_plugins.cells.config:RNNConfig",
        summary="Simple recurrence h = f(W x + U h + b) with tanh, sigmoid or relu (Elman 1990)",
    )
    yield CellSpec(
        name="lstm",
        target="rnnlab_plugins.cells.lstm:LSTM",
        config="rnnlab_plugins.cells.config:LSTMConfig",
        summary="Long short-term memory with input, forget and output gates (Hochreiter & Schmidhuber 1997)",
    )
