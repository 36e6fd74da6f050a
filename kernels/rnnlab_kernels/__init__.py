"""Fused LSTM and RNN layers for PyTorch, written in Triton. Needs torch and triton, nothing else.

    from rnnlab_kernels import LSTM, RNN                        layers, used as nn.LSTM and nn.RNN are
    from rnnlab_kernels import lstm_sequence, rnn_sequence      the ops that they are made of

Importing the package imports nothing else; the first use of a name does.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnlab_kernels.layers.lstm import LSTM
    from rnnlab_kernels.layers.rnn import RNN
    from rnnlab_kernels.lstm_sequence.op import lstm_sequence
    from rnnlab_kernels.rnn_sequence.op import rnn_sequence

__all__ = ["LSTM", "RNN", "lstm_sequence", "rnn_sequence"]

_HOMES = {
    "LSTM": "rnnlab_kernels.layers.lstm",
    "RNN": "rnnlab_kernels.layers.rnn",
    "lstm_sequence": "rnnlab_kernels.lstm_sequence.op",
    "rnn_sequence": "rnnlab_kernels.rnn_sequence.op",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__doc__", "__name__"]


class _Package(ModuleType):
    """Keeps `lstm_sequence` and `rnn_sequence` the names of functions.

    Each op lives in a folder of its own name. Python binds a folder to its parent once it is imported, which
    would hide the function. The folders stay importable: `from rnnlab_kernels.lstm_sequence import
    reference`.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
