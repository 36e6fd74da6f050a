"""Which backend runs a cell: the one asked for, or the one that costs least here of those that can."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace

import torch

from rnnlab.errors import InputError, did_you_mean
from rnnlab.plugins.spec import BackendSpec
from rnnlab.recurrent.backend import Backend
from rnnlab.recurrent.cell import Cell
from rnnlab.recurrent.measurement import Costs, Meter, NotMeasured, Workload

BY_RANK = "rank"
"""What RNNLAB_AUTO says to have `auto` go by rank and measure nothing."""

ALIKE = 1.02
"""Of backends that cost no more than this times the least, `auto` takes the highest-ranked."""

SHARE = 0.25
"""Of the time that a run takes without it, what preparing a backend may take for `auto` to try it."""


@dataclass(frozen=True)
class Selection:
    """The backend chosen for a stack.

    Attributes:
        name: its name among the plugins.
        backend: the backend.
        reason: why it was chosen, one line for the user.
        provisional: whether it is chosen by rank where a run would measure, and might take another.
    """

    name: str
    backend: Backend
    reason: str
    provisional: bool = False


@dataclass(frozen=True)
class _Question:
    """What the backends are asked about: the cells, where, and what the user calls them."""

    probes: Sequence[Cell]
    device: torch.device
    dtype: torch.dtype
    what: str

    def refusal(self, backend: Backend) -> str | None:
        """The first reason why `backend` cannot run one of the cells."""
        asked = (backend.supports(cell, self.device, self.dtype) for cell in self.probes)
        return next((no for no in asked if no), None)

    def advice(self, backend: Backend) -> str | None:
        """The first reason why `auto` should rather take another backend for one of the cells."""
        asked = (backend.advice(cell, self.device, self.dtype) for cell in self.probes)
        return next((why for why in asked if why), None)

    def preparation(self, backend: Backend) -> float:
        """Seconds that preparing all the cells is expected to take."""
        return sum(backend.preparation(cell, self.device, self.dtype) for cell in self.probes)

    def prepare(self, backend: Backend) -> float:
        """Prepare all the cells; the seconds it took."""
        return sum(backend.prepare(cell, self.device, self.dtype) for cell in self.probes)


def select_backend(
    candidates: Iterable[tuple[BackendSpec, Backend]],
    requested: str,
    cell_name: str,
    probes: Sequence[Cell],
    device: torch.device,
    dtype: torch.dtype,
    workload: Workload | None = None,
    meter: Meter | None = None,
) -> Selection:
    """Choose the backend that runs every one of `probes`.

    Args:
        candidates: the installed backends and their records, in any order.
        requested: a backend's name, or "auto" for the one that costs least of those that support the cells;
            one that advises against itself is taken only if no other supports them.
        cell_name: what the user calls the cell, for the reason.
        probes: a cell for each shape that the stack has.
        device: where the cells will run.
        dtype: of inputs and parameters.
        workload: what the run will ask of them. Without it, or with the environment's RNNLAB_AUTO=rank,
            nothing is measured or prepared and "auto" goes by rank.
        meter: measures costs; by default one that keeps them in the user's cache. With one that does not
            measure, nothing is prepared either, and where its measurements do not tell what "auto" takes,
            the choice is by rank and provisional.

    Raises:
        InputError: no backend has that name, or the one asked for, or every one, cannot run the cells.
    """
    ranked = sorted(candidates, key=lambda candidate: (-candidate[0].rank, candidate[0].name))
    question = _Question(
        probes, device, dtype, f"{cell_name} on {device.type} in {str(dtype).removeprefix('torch.')}"
    )
    meter = meter or Meter()
    if requested != "auto":
        return _requested(ranked, requested, question, prepare=workload is not None and meter.measures)
    passed: list[str] = []
    able: list[Selection] = []
    unadvised: list[Selection] = []
    provisional = False
    for spec, backend in ranked:
        if refusal := question.refusal(backend):
            passed.append(f"{spec.name} cannot run {question.what} ({refusal})")
        elif advice := question.advice(backend):
            passed.append(f"{spec.name} is passed over for {question.what} ({advice})")
            reason = f"{spec.name}: no other backend runs {question.what} ({advice})"
            unadvised.append(Selection(spec.name, backend, reason))
        else:
            able.append(Selection(spec.name, backend, ""))
    if workload is not None and len(able) > 1 and os.environ.get("RNNLAB_AUTO") != BY_RANK:
        try:
            return _measured(able, passed, question, workload, meter)
        except NotMeasured as unknown:
            passed.insert(0, f"by rank, not measured here yet: {unknown}")
            provisional = True
    prepares = {spec.name for spec, _ in ranked if spec.prepares}
    return replace(_by_rank(able, unadvised, passed, prepares, question), provisional=provisional)


def _requested(
    ranked: Sequence[tuple[BackendSpec, Backend]], requested: str, question: _Question, prepare: bool
) -> Selection:
    """The backend of that name."""
    chosen = {spec.name: backend for spec, backend in ranked}
    if requested not in chosen:
        raise InputError(f"unknown backend {requested!r}{did_you_mean(requested, ['auto', *chosen])}")
    backend = chosen[requested]
    if refusal := question.refusal(backend):
        raise InputError(
            f"backend {requested!r} cannot run {question.what}: {refusal}; "
            f"use {_remedy(chosen, requested, question)}"
        )
    seconds = question.prepare(backend) if prepare else 0.0
    taken = f" ({seconds:.0f} s of preparation, kept for later runs)" if seconds >= 1 else ""
    return Selection(requested, backend, f"{requested}: requested{taken}")


def _by_rank(
    able: Sequence[Selection],
    unadvised: Sequence[Selection],
    passed: list[str],
    prepares: Set[str],
    question: _Question,
) -> Selection:
    """The first of `able`, one that has to be prepared only after all others; else the first unadvised."""
    ready = [each for each in able if each.name not in prepares]
    if ready:
        waits = able[: able.index(ready[0])]
        passed += [
            f"{each.name} has to be prepared, and is taken only where it was measured" for each in waits
        ]
    if chosen := next(iter([*ready, *able]), None):
        reason = "; ".join(passed) or f"highest-ranked backend that runs {question.what}"
        return Selection(chosen.name, chosen.backend, f"{chosen.name}: {reason}")
    if unadvised:
        return unadvised[0]
    raise InputError(
        f"no backend can run {question.what}: {'; '.join(passed) or 'none is installed'}; "
        "install a plugin with a backend for it, or choose another cell, device or dtype"
    )


def _measured(
    able: Sequence[Selection], passed: list[str], question: _Question, workload: Workload, meter: Meter
) -> Selection:
    """The one of `able`, in the order of rank, that costs the run least.

    Raises:
        NotMeasured: `meter` does not measure, and what it keeps does not tell.
    """

    def costs(of: Sequence[Selection]) -> Costs:
        backends = {each.name: each.backend for each in of}
        return meter.costs(backends, question.probes, workload, question.device, question.dtype)

    waits = {each.name: question.preparation(each.backend) for each in able}
    ready = [each for each in able if not waits[each.name]]
    notes: list[str] = []
    found: Costs = costs(ready) if ready else {}
    least = _least(found)
    if least is None:
        tried = able
    else:
        planned = workload.steps * least * workload.seq_len / workload.bucket()[1]
        tried = [each for each in able if waits[each.name] <= SHARE * planned]
        notes += [
            f"{each.name} was not tried, its preparation takes about {waits[each.name]:.0f} s, "
            f"{workload.steps} steps {_duration(planned)} without"
            for each in able
            if each not in tried
        ]
    seconds = 0.0
    if len(tried) > len(ready):
        if not meter.measures:
            waiting = ", ".join(
                f"{each.name} (about {waits[each.name]:.0f} s)" for each in tried if each not in ready
            )
            raise NotMeasured(f"a run prepares {waiting}, measures and may take another")
        working: list[Selection] = []
        for each in tried:
            try:
                seconds += question.prepare(each.backend)
            except InputError as error:
                notes.append(str(error))
            else:
                working.append(each)
        found = costs(working) if working else {}
    least = _least(found)
    notes += [f"{name} failed ({cost})" for name, cost in found.items() if isinstance(cost, str)]
    if least is None:
        raise InputError(f"no backend can run {question.what}: {'; '.join([*notes, *passed])}")
    cost = {name: each for name, each in found.items() if isinstance(each, float)}
    chosen = next(each for each in able if cost.get(each.name, float("inf")) <= ALIKE * least)
    others = [f"{name} {each * 1000:.2g}" for name, each in cost.items() if name != chosen.name]
    against = f" against {', '.join(others)}" if others else ""
    rows, seq_len = workload.bucket()
    taken = f" after {seconds:.0f} s of preparation, kept for later runs" if seconds >= 1 else ""
    figures = (
        f"{cost[chosen.name] * 1000:.2g} ms a step{against} (measured here, {rows} rows of {seq_len}{taken})"
    )
    return Selection(chosen.name, chosen.backend, f"{chosen.name}: {'; '.join([figures, *notes, *passed])}")


def _least(costs: Costs) -> float | None:
    """The least of the costs; None if every backend failed."""
    return min((cost for cost in costs.values() if isinstance(cost, float)), default=None)


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def _remedy(installed: dict[str, Backend], requested: str, question: _Question) -> str:
    """What to write instead of a backend that cannot run the cells."""
    able = [
        f"backend={name}"
        for name, backend in installed.items()
        if name != requested and not question.refusal(backend)
    ]
    return " or ".join(["backend=auto", *able]) if able else "another cell, device or dtype"
