"""Which backend runs a cell: the one asked for, or the highest-ranked that can and is not advised against."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from rnnlab.errors import InputError, did_you_mean
from rnnlab.plugins.spec import BackendSpec
from rnnlab.recurrent.backend import Backend
from rnnlab.recurrent.cell import Cell


@dataclass(frozen=True)
class Selection:
    """The backend chosen for a stack.

    Attributes:
        name: its name among the plugins.
        backend: the backend.
        reason: why it was chosen, one line for the user.
    """

    name: str
    backend: Backend
    reason: str


def select_backend(
    candidates: Iterable[tuple[BackendSpec, Backend]],
    requested: str,
    cell_name: str,
    probes: Sequence[Cell],
    device: torch.device,
    dtype: torch.dtype,
) -> Selection:
    """Choose the backend that runs every one of `probes`.

    Args:
        candidates: the installed backends and their records, in any order.
        requested: a backend's name, or "auto" for the highest-ranked that supports the cells; one that
            advises against itself is taken only if no other supports them.
        cell_name: what the user calls the cell, for the reason.
        probes: a cell for each shape that the stack has.
        device: where the cells will run.
        dtype: of inputs and parameters.

    Raises:
        InputError: no backend has that name, or the one asked for, or every one, cannot run the cells.
    """
    ranked = sorted(candidates, key=lambda candidate: (-candidate[0].rank, candidate[0].name))
    what = f"{cell_name} on {device.type} in {str(dtype).removeprefix('torch.')}"
    if requested != "auto":
        chosen = {spec.name: backend for spec, backend in ranked}
        if requested not in chosen:
            raise InputError(f"unknown backend {requested!r}{did_you_mean(requested, ['auto', *chosen])}")
        if refusal := _refusal(chosen[requested], probes, device, dtype):
            raise InputError(
                f"backend {requested!r} cannot run {what}: {refusal}; "
                f"use {_remedy(ranked, requested, probes, device, dtype)}"
            )
        return Selection(requested, chosen[requested], f"{requested}: requested")
    passed: list[str] = []
    unadvised: Selection | None = None
    for spec, backend in ranked:
        if refusal := _refusal(backend, probes, device, dtype):
            passed.append(f"{spec.name} cannot run {what} ({refusal})")
        elif advice := _advice(backend, probes, device, dtype):
            passed.append(f"{spec.name} is passed over for {what} ({advice})")
            unadvised = unadvised or Selection(
                spec.name, backend, f"{spec.name}: no other backend runs {what} ({advice})"
            )
        else:
            reason = "; ".join(passed) or f"highest-ranked backend that runs {what}"
            return Selection(spec.name, backend, f"{spec.name}: {reason}")
    if unadvised is not None:
        return unadvised
    raise InputError(
        f"no backend can run {what}: {'; '.join(passed) or 'none is installed'}; "
        "install a plugin with a backend for it, or choose another cell, device or dtype"
    )


def _refusal(
    backend: Backend, probes: Sequence[Cell], device: torch.device, dtype: torch.dtype
) -> str | None:
    """The first reason why `backend` cannot run one of the cells."""
    return next((no for cell in probes if (no := backend.supports(cell, device, dtype))), None)


def _advice(backend: Backend, probes: Sequence[Cell], device: torch.device, dtype: torch.dtype) -> str | None:
    """The first reason why `auto` should rather take another backend for one of the cells."""
    return next((why for cell in probes if (why := backend.advice(cell, device, dtype))), None)


def _remedy(
    ranked: Sequence[tuple[BackendSpec, Backend]],
    requested: str,
    probes: Sequence[Cell],
    device: torch.device,
    dtype: torch.dtype,
) -> str:
    """What to write instead of a backend that cannot run the cells."""
    able = [
        f"backend={spec.name}"
        for spec, backend in ranked
        if spec.name != requested and not _refusal(backend, probes, device, dtype)
    ]
    return " or ".join(["backend=auto", *able]) if able else "another cell, device or dtype"
