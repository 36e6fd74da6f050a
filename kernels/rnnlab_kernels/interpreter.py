"""What Triton's interpreter (TRITON_INTERPRET=1) lacks for the kernels of this package.

`install()` patches the interpreter of Triton 3.6 and 3.7 in this process:

- A kernel launched with `launch_cooperative_grid=True`, whose programs wait for one another at a barrier of
  atomics, runs to its end. The stock executor runs programs one after another, so that the first would wait
  for ever. Here each program has a thread, exactly one of which runs at a time; it hands over to the next
  after every atomic and every volatile load, the two things that a program can spin on. Other kernels run
  as they always did.
- bfloat16 is computed as GPUs do. The stock interpreter keeps bfloat16 as bit patterns, cuts float32 down to
  it without rounding, and adds, compares and multiplies the patterns as integers, in `tl.dot` too.
- `range(n)` with `n` an argument of the kernel works in Triton 3.6 with numpy 2.4 or later.

What stays different from a GPU: `tl.dot` ignores `input_precision` (float32 operands are not rounded, even
for "tf32"), sums are formed in numpy's order, inline assembly is refused, num_warps and shared memory mean
nothing. Between two hand-overs a program is never interrupted, so a missing fence cannot be seen here.
"""

from __future__ import annotations

import contextvars
import copy
import inspect
import math
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

FRUITLESS_TURNS = 20_000
"""Turns in a row without a store, a change or a program's end, after which all programs count as stuck."""


class Deadlock(RuntimeError):
    """The programs of a cooperative launch wait for something that none of them will do."""


def interpreting() -> bool:
    """Whether kernels that are decorated now run in Triton's interpreter, on the CPU."""
    from triton import knobs

    return bool(knobs.runtime.interpret)


def install() -> None:
    """Patch Triton's interpreter for the rest of the process, once; does nothing when not interpreting.

    From then on a launch with `launch_cooperative_grid=True` raises `Deadlock` (a RuntimeError) when its
    programs are stuck; an error in one program stops the others and is raised as in any kernel, as
    InterpreterError.
    """
    global _installed
    if _installed or not interpreting():
        return
    from triton.runtime import interpreter as stock

    _run_cooperative_grids(stock)
    _hand_over_where_programs_spin(stock.InterpreterBuilder)
    _compute_bfloat16(stock)
    _count_with_arguments(stock)
    _installed = True


@contextmanager
def shuffled(seed: int) -> Iterator[None]:
    """Within the context, draw the program that runs next at random instead of letting each run in its turn.

    What a sound kernel computes does not depend on `seed`; a missing barrier shows up under some seeds.
    """
    global _order
    before, _order = _order, random.Random(seed)
    try:
        yield
    finally:
        _order = before


_installed = False
_order: random.Random | None = None
_here = threading.local()  # .grid: the cooperative grid that this thread runs a program of


class _Stopped(BaseException):
    """Unwinds a program because another one failed; not an Exception, so that nothing on its way keeps it."""


class _CooperativeGrid:
    """Stands in for a kernel inside Triton's executor, which calls it once for each program, in turn.

    The calls are counted until the last one, then all programs run together. So the executor's own treatment
    of arguments, grid and errors stays in force.
    """

    def __init__(self, kernel: Callable[..., None], builder: Any):
        self.__signature__ = inspect.signature(kernel)
        self.__globals__ = kernel.__globals__
        self.__name__ = kernel.__name__
        self.kernel = kernel
        self.builder = builder
        self.places: list[tuple[int, int, int]] = []
        self.error: BaseException | None = None
        self.fruitless = 0
        self.order = _order

    def __call__(self, **arguments: Any) -> None:
        self.places.append(self.builder.grid_idx)
        if len(self.places) < math.prod(self.builder.grid_dim):
            return
        self.ready = list(range(len(self.places)))
        self.turns = [threading.Lock() for _ in self.places]
        threads = []
        for program, turn in enumerate(self.turns):
            turn.acquire()
            # numpy keeps its handling of overflow in the context.
            run = contextvars.copy_context().run
            threads.append(threading.Thread(target=run, args=(self._run, program, arguments), daemon=True))
            threads[-1].start()
        self._start_next()
        try:
            for thread in threads:
                thread.join()
        except BaseException as interrupt:
            self.error = interrupt
            raise
        if self.error is not None:
            raise self.error

    def hand_over(self, *, progress: bool) -> None:
        """Let another program run until it is this one's turn again; called by the program that runs.

        Args:
            progress: whether memory changed since this program's last call.

        Raises:
            Deadlock: no program has made progress for FRUITLESS_TURNS turns.
        """
        self.fruitless = 0 if progress else self.fruitless + 1
        if self.fruitless > FRUITLESS_TURNS:
            waiting = f"{len(self.ready) + 1} of {len(self.places)} programs wait for one another"
            # Kept before it is raised: each jitted function on its way wraps it in another error.
            self.error = Deadlock(
                f"{self.__name__}: {waiting}: no store and no change by an atomic in {FRUITLESS_TURNS} "
                "turns; check the barrier's target and that every program reaches it"
            )
            raise self.error
        program = self.running
        self.ready.append(program)
        self._start_next()
        self._await_turn(program)

    def _start_next(self) -> None:
        place = self.order.randrange(len(self.ready)) if self.order else 0
        self.turns[self.ready.pop(place)].release()

    def _await_turn(self, program: int) -> None:
        self.turns[program].acquire()
        if self.error is not None:
            raise _Stopped
        self.running = program
        self.builder.set_grid_idx(*self.places[program])

    def _run(self, program: int, arguments: dict[str, Any]) -> None:
        _here.grid = self
        try:
            self._await_turn(program)
            self.kernel(**arguments)
        except _Stopped:
            pass
        except BaseException as error:
            self.error = self.error or error
        self.fruitless = 0
        if self.ready:
            self._start_next()


def _run_cooperative_grids(stock: Any) -> None:
    launch = stock.GridExecutor.__call__

    def launch_grid(self, *arguments, launch_cooperative_grid=False, **options):
        if not launch_cooperative_grid:
            return launch(self, *arguments, **options)
        executor = copy.copy(self)
        grid = executor.fn = _CooperativeGrid(self.fn, stock.interpreter_builder)
        try:
            return launch(executor, *arguments, **options)
        except stock.InterpreterError:
            if isinstance(grid.error, Deadlock):
                raise grid.error from None
            raise

    stock.GridExecutor.__call__ = launch_grid


def _hand_over_where_programs_spin(builder: Any) -> None:
    store, load = builder.create_masked_store, builder.create_masked_load
    rmw, cas = builder.create_atomic_rmw, builder.create_atomic_cas

    def changed(self, pointer, old, mask):
        new = load(self, pointer, mask, None, None, None, False)
        return bool(((new.data != old.data) & mask.data).any())

    def masked_store(self, *arguments):
        store(self, *arguments)
        if grid := getattr(_here, "grid", None):
            grid.fruitless = 0

    def masked_load(self, pointer, mask, other, cache_modifier, eviction_policy, is_volatile):
        loaded = load(self, pointer, mask, other, cache_modifier, eviction_policy, is_volatile)
        if is_volatile and (grid := getattr(_here, "grid", None)):
            grid.hand_over(progress=False)
        return loaded

    def atomic_rmw(self, operation, pointer, value, mask, sem, scope):
        old = rmw(self, operation, pointer, value, mask, sem, scope)
        if grid := getattr(_here, "grid", None):
            grid.hand_over(progress=changed(self, pointer, old, mask))
        return old

    def atomic_cas(self, pointer, compare, value, sem, scope):
        old = cas(self, pointer, compare, value, sem, scope)
        if grid := getattr(_here, "grid", None):
            everywhere = type(pointer)(old.data == old.data, self.get_int1_ty())
            grid.hand_over(progress=changed(self, pointer, old, everywhere))
        return old

    builder.create_masked_store = masked_store
    builder.create_masked_load = masked_load
    builder.create_atomic_rmw = atomic_rmw
    builder.create_atomic_cas = atomic_cas


def _compute_bfloat16(stock: Any) -> None:
    import torch
    import triton.language as tl

    builder, handle = stock.InterpreterBuilder, stock.TensorHandle
    cast, binary, dot = builder.cast_impl, builder.binary_op, builder.create_dot

    def widened(value):
        if value.dtype.scalar != tl.bfloat16:
            return value
        return handle((value.data.astype("uint32") << 16).view("float32"), tl.float32)

    def rounded(data):
        bits = torch.tensor(data, dtype=torch.float32).to(torch.bfloat16).view(torch.int16)
        return handle(bits.numpy().view("uint16"), tl.bfloat16)

    def cast_impl(self, source, target_type):
        if target_type.scalar == tl.bfloat16:
            return rounded(widened(source).data)
        return cast(self, widened(source), target_type)

    def binary_op(self, left, right, operation):
        if left.dtype.scalar != tl.bfloat16:
            return binary(self, left, right, operation)
        result = operation(widened(left).data, widened(right).data)
        return handle(result, tl.int1) if result.dtype == bool else rounded(result)

    def create_dot(self, left, right, *arguments):
        return dot(self, widened(left), widened(right), *arguments)

    builder.cast_impl, builder.binary_op, builder.create_dot = cast_impl, binary_op, create_dot


def _count_with_arguments(stock: Any) -> None:
    patch_tensor = stock._patch_lang_tensor

    def patch(tensor, scope):
        patch_tensor(tensor, scope)
        scope.set_attr(tensor, "__index__", lambda self: int(self.handle.data.item()))

    stock._patch_lang_tensor = patch
