"""A loop over time with a matrix product and one kernel in every step, for what no kernel can hold.

The launches of CHUNK steps are captured in a CUDA graph, once for a shape, and replayed: on buffers of their
own, into which each chunk of the inputs is copied and out of which its results are. A graph knows nothing of
the sequence's length, so a new one costs nothing.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar, cast

import torch
from torch import Tensor

CHUNK = 16
KEPT_GRAPHS = 8


class Steps(ABC):
    """What `length` steps of a loop do to buffers.

    Attributes:
        length: steps that the buffers hold.
        position: [steps before these, steps of the sequence T], int32, on the device: a step at or after T
            must change no state.
    """

    def __init__(self, length: int, device: torch.device) -> None:
        self.length = length
        self.position = torch.zeros(2, dtype=torch.int32, device=device)
        self.lock = threading.Lock()
        self._graph: torch.cuda.CUDAGraph | None = None

    @abstractmethod
    def take(self, k: int) -> None:
        """Take step number `k` of the buffers."""

    def run(self, start: int) -> None:
        """Take all steps of the buffers, the first being step `start` of the sequence."""
        self.position[0].fill_(start)
        if self._graph is None:
            for k in range(self.length):
                self.take(k)
        else:
            self._graph.replay()

    def capture(self) -> None:
        """Make a CUDA graph of all steps, to be replayed from now on."""
        # Another stream than the capture's, so that what cuBLAS allocates for a stream belongs to the graph.
        warm_up, capturing = torch.cuda.Stream(), torch.cuda.Stream()
        warm_up.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(warm_up):
            self.take(0)  # Compiles the kernel, which must not happen during a capture.
        torch.cuda.current_stream().wait_stream(warm_up)
        graph = torch.cuda.CUDAGraph()
        # Other threads, one that loads data for instance, may go on allocating.
        with torch.cuda.graph(graph, stream=capturing, capture_error_mode="thread_local"):
            for k in range(self.length):
                self.take(k)
        self._graph = graph


StepsT = TypeVar("StepsT", bound=Steps)

_kept: OrderedDict[Hashable, Steps] = OrderedDict()
_kept_lock = threading.Lock()


def steps_for(key: Hashable, seq_len: int, device: torch.device, make: Callable[[int], StepsT]) -> StepsT:
    """Return what takes the steps of a sequence: captured in chunks where that helps, else all T at once.

    Args:
        key: what `make` depends on, beside the number of steps, the device and the current stream.
        seq_len: steps T of the sequence.
        device: where they run.
        make: makes buffers for a number of steps.
    """
    if graphs_help(device, seq_len):
        return kept(key, device, lambda: make(CHUNK))
    return make(seq_len)


def graphs_help(device: torch.device, seq_len: int) -> bool:
    """Whether to take the steps of a sequence in captured chunks; else they are launched one by one."""
    return device.type == "cuda" and seq_len >= CHUNK and not torch.cuda.is_current_stream_capturing()


def kept(key: Hashable, device: torch.device, make: Callable[[], StepsT]) -> StepsT:
    """Return the captured steps under `key` for the current stream, made and captured if there are none.

    The KEPT_GRAPHS used last are kept, with their buffers.
    """
    key = (key, device, torch.cuda.current_stream(device).stream_id)
    with _kept_lock:
        if key not in _kept:
            # Made in inference mode, the buffers could not be written to outside it later.
            with torch.inference_mode(False):
                _kept[key] = steps = make()
                steps.capture()
        _kept.move_to_end(key)
        while len(_kept) > KEPT_GRAPHS:
            _kept.popitem(last=False)
        return cast("StepsT", _kept[key])


def chunks(seq_len: int, length: int) -> Iterator[tuple[int, slice, slice]]:
    """The chunks of a sequence: first step, place in the sequence, place in buffers of `length`."""
    for start in range(0, seq_len, length):
        stop = min(start + length, seq_len)
        yield start, slice(start, stop), slice(0, stop - start)


def arranged(steps: Tensor, flipped: Sequence[bool]) -> Tensor:
    """Return steps [T, B, D*F] with the time of some directions turned round; twice gives them back."""
    if not any(flipped):
        return steps
    parts = zip(steps.chunk(len(flipped), dim=-1), flipped, strict=True)
    return torch.cat([part.flip(0) if flip else part for part, flip in parts], dim=-1)


def by_group(weight_hh: Tensor, gates: int) -> Tensor:
    """Return weight_hh [D, gates*H, P] by direction and head: [D*N, gates*P, P], contiguous."""
    directions, rows, head_size = weight_hh.shape
    blocks = weight_hh.view(directions, gates, rows // gates // head_size, head_size, head_size)
    return blocks.transpose(1, 2).reshape(-1, gates * head_size, head_size)


def units_by_group(state: Tensor, head_size: int) -> Tensor:
    """Return state [D, B, H] by direction and head: [D*N, B, P], contiguous."""
    directions, batch_size, _ = state.shape
    return (
        state.view(directions, batch_size, -1, head_size).transpose(1, 2).reshape(-1, batch_size, head_size)
    )


def units_by_direction(state: Tensor, directions: int) -> Tensor:
    """Undo `units_by_group`."""
    _, batch_size, head_size = state.shape
    return (
        state.view(directions, -1, batch_size, head_size).transpose(1, 2).reshape(directions, batch_size, -1)
    )


def product(a: Tensor, b: Tensor, out: Tensor) -> None:
    """Write the products a @ b of [G, M, K] and [G, K, N] into `out`, in float32 also for 16-bit factors."""
    if a.dtype == out.dtype:
        torch.bmm(a, b, out=out)
    elif a.is_cuda and torch.version.hip is None:
        torch.bmm(a, b, out_dtype=out.dtype, out=out)
    else:
        torch.bmm(a.to(out.dtype), b.to(out.dtype), out=out)


@contextmanager
def matmul_precision(arithmetic: str) -> Iterator[None]:
    """Within the context torch multiplies float32 in TF32 if `arithmetic` is "tf32", exactly if not.

    The setting is touched only where it says something else, as it is the whole process's.
    """
    settings = torch.backends.cuda.matmul
    before = settings.fp32_precision
    wanted = "tf32" if arithmetic == "tf32" else "ieee"
    if arithmetic == "half" or before == wanted:
        yield
        return
    settings.fp32_precision = wanted
    try:
        yield
    finally:
        settings.fp32_precision = before
