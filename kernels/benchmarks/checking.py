"""Whether a contestant is right: it is compared with float64 before it is timed."""

from __future__ import annotations

from dataclasses import replace

import torch
from cases import Case
from problem import Outputs, Problem, relative_error, solve
from rivals import Contestant, Runner, arithmetic
from torch import Tensor

FORWARD, BACKWARD = "forward", "forward+backward"
PASSES = (FORWARD, BACKWARD)
TOLERANCE = {"float32": (1e-4, 1e-3), "tf32": (1e-2, 3e-2), "float16": (1e-2, 3e-2), "bfloat16": (4e-2, 1e-1)}
"""Largest |value - truth| / |truth| of a dtype, for outputs and states and for gradients. Rounding in every
step stays several times below; swapped gates, an ignored length or a lost final step are far above."""
CHECK_BYTES = 6e9
"""Memory that the truth may take; only the first steps are compared where all of them take more."""


class WrongResult(Exception):
    """A contestant's numbers are too far from the truth."""


def check_steps(case: Case) -> int:
    """Steps that are compared: as many as keep the truth, ten float64 numbers a gate, in `CHECK_BYTES`."""
    step = 8 * 10 * case.batch_size * case.directions * case.num_layers * case.gates * case.hidden_size
    return max(1, min(case.seq_len, int(CHECK_BYTES / step)))


class Truth:
    """Answers in float64 to the problems of one case, from inputs rounded as the contestant's are."""

    def __init__(self) -> None:
        self._known: dict[tuple[torch.dtype, int], dict[str, Tensor]] = {}

    def of(self, problem: Problem) -> dict[str, Tensor]:
        """output, h_n, c_n, and gradients d_x, d_weight_ih.K, d_weight_hh.K, d_bias.K of layer K."""
        key = (problem.x.dtype, len(problem.x))
        if key not in self._known:
            exact = problem.to(torch.float64).trainable()
            exact = replace(exact, x=exact.x.detach().clone().requires_grad_())
            leaves = {"x": exact.x} | exact.weights()
            outputs = solve(exact)
            grads = torch.autograd.grad(outputs.output, list(leaves.values()), exact.d_output)
            named = {f"d_{name}": grad for name, grad in zip(leaves, grads, strict=True)}
            self._known[key] = _states(outputs) | named
        return self._known[key]


def compare(
    contestant: Contestant, runner: Runner, kind: str, problem: Problem, truth: Truth
) -> tuple[float, str]:
    """Run one pass and return the worst relative error with the name of the tensor it is in.

    Raises:
        WrongResult: a tensor is further off than `TOLERANCE` allows, or not a number.
    """
    poison(problem)
    found = _values(contestant, runner, kind, problem)
    exact = truth.of(problem)
    errors = {name: relative_error(value, exact[name]) for name, value in found.items()}
    states, gradients = TOLERANCE[contestant.dtype]
    for name, error in errors.items():
        allowed = gradients if name.startswith("d_") else states
        if not error <= allowed:
            raise WrongResult(f"{name} is off by {error:.1e}, allowed {allowed:.0e}; not timed")
    worst = max(errors, key=lambda name: errors[name])
    return errors[worst], worst


def poison(problem: Problem) -> None:
    """Leave NaN in memory that the next allocations are made of: what is not written shows."""
    numbers = min(8 * problem.x.numel() * problem.case.gates, 2**28)
    torch.full((numbers,), float("nan"), device=problem.x.device)


def _values(contestant: Contestant, runner: Runner, kind: str, problem: Problem) -> dict[str, Tensor]:
    arithmetic(contestant.dtype)
    runner.train(kind == BACKWARD)
    x = runner.adapt(problem.x).detach().requires_grad_(kind == BACKWARD)
    with torch.set_grad_enabled(kind == BACKWARD):
        outputs = runner.run(x, problem.lengths)
    found = _states(outputs)
    if kind == BACKWARD:
        names = ["x", *runner.leaves]
        grads = torch.autograd.grad(outputs.output, [x, *runner.leaves.values()], problem.d_output)
        canonical = runner.canonical(dict(zip(names, grads, strict=True)))
        found |= {f"d_{name}": grad for name, grad in canonical.items()}
    return {name: value.detach() for name, value in found.items()}


def _states(outputs: Outputs) -> dict[str, Tensor]:
    named = {"output": outputs.output, "h_n": outputs.h_n, "c_n": outputs.c_n}
    return {name: value.detach() for name, value in named.items() if value is not None}
