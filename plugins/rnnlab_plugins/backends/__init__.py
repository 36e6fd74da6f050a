"""The built-in backends."""

from __future__ import annotations

from collections.abc import Iterator

from rnnlab.api import BackendSpec, hookimpl


@hookimpl
def rnnlab_backends() -> Iterator[BackendSpec]:
    yield BackendSpec(
        name="reference",
        target="rnnlab_plugins.backends.reference:ReferenceBackend",
        summary="The loop over the cell's own step: runs every cell, defines every result",
        rank=0,
    )
    yield BackendSpec(
        name="compiled",
        target="rnnlab_plugins.backends.compiled:CompiledBackend",
        summary="The step of any cell compiled for this processor and kept; `auto` measures if it pays",
        rank=5,
        prepares=True,
    )
    yield BackendSpec(
        name="torch",
        target="rnnlab_plugins.backends.torch:TorchBackend",
        summary="PyTorch's LSTM, GRU and RNN: oneDNN and ATen on CPUs, cuDNN on NVIDIA GPUs",
        rank=10,
    )
    yield BackendSpec(
        name="triton",
        target="rnnlab_plugins.backends.triton:TritonBackend",
        summary="Triton kernels for LSTM and RNN on GPUs; chosen by `auto` where they were measured to win",
        requires=("triton",),
        rank=20,
    )
