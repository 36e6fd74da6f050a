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
    yield CellSpec(
        name="gru",
        target="rnnlab_plugins.cells.gru:GRU",
        config="rnnlab_plugins.cells.config:GRUConfig",
        summary="Gated recurrent unit with reset and update gates, as nn.GRU (Cho et al. 2014)",
    )
    yield CellSpec(
        name="mgu",
        target="rnnlab_plugins.cells.mgu:MGU",
        config="rnnlab_plugins.cells.config:MGUConfig",
        summary="Minimal gated unit, a GRU with one gate (Zhou et al. 2016)",
    )
    yield CellSpec(
        name="peephole_lstm",
        target="rnnlab_plugins.cells.peephole_lstm:PeepholeLSTM",
        config="rnnlab_plugins.cells.config:PeepholeLSTMConfig",
        summary="LSTM whose gates see the memory cell (Gers & Schmidhuber 2000)",
    )
    yield CellSpec(
        name="layernorm_lstm",
        target="rnnlab_plugins.cells.layernorm_lstm:LayerNormLSTM",
        config="rnnlab_plugins.cells.config:LayerNormLSTMConfig",
        summary="LSTM with layer normalisation of its sums and its memory cell (Ba et al. 2016)",
    )
    yield CellSpec(
        name="slstm",
        target="rnnlab_plugins.cells.slstm:SLSTM",
        config="rnnlab_plugins.cells.config:SLSTMConfig",
        summary="sLSTM of xLSTM: exponential gates, normaliser and stabiliser, one head (Beck et al. 2024)",
    )
