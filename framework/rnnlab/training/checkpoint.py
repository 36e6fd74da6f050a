"""Checkpoints that are whole or absent.

Each is a folder `checkpoints/step-<n>/` holding model.safetensors (weights) and training.pt (optimizer,
schedule, random states, place in the data). It is written under a temporary name, fsynced and renamed;
`last` and `best` are links that are replaced in one step. A crash leaves the links on whole checkpoints.
"""

from __future__ import annotations

import os
import random
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from rnnlab.errors import InputError, in_words

WEIGHTS, TRAINING = "model.safetensors", "training.pt"


@dataclass
class Progress:
    """How far a run has come; part of every checkpoint.

    Attributes:
        step: optimizer steps done. epoch, batch: the next batch to train on.
        best, best_step: best monitored score so far and where. standing: evaluations since.
        seconds, cpu_seconds: wall and processor time spent in training so far.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    best: float | None = None
    best_step: int = 0
    standing: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


def save(folder: Path, model: nn.Module, state: dict[str, Any], progress: Progress, best: bool) -> Path:
    """Write a checkpoint below `folder` and point `last` (and `best`) at it.

    Args:
        folder: the run's checkpoints/.
        model: whose state_dict is saved.
        state: optimizer and schedule states, as their state_dict() gives them.
        progress: where training stands.
        best: whether this is the best so far.

    Returns:
        The checkpoint's folder.
    """
    final = folder / f"step-{progress.step}"
    if not final.exists():
        temporary = folder / f".step-{progress.step}.{os.getpid()}"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
        save_file(_untied(weights), temporary / WEIGHTS)
        torch.save(state | {"progress": asdict(progress), "random": random_state()}, temporary / TRAINING)
        for path in (temporary / WEIGHTS, temporary / TRAINING, temporary):
            _fsync(path)
        temporary.rename(final)
    for link in ("last", "best") if best else ("last",):
        _point(folder / link, final.name)
    _fsync(folder)
    _remove_unlinked(folder)
    return final


def load_weights(checkpoint: Path, model: nn.Module) -> None:
    """Load model.safetensors of `checkpoint` into `model`.

    Raises:
        InputError: there is no such checkpoint.
    """
    path = checkpoint / WEIGHTS
    if not path.exists():
        raise InputError(
            f"no checkpoint at {checkpoint}; the run saved none, start it again with 'rnnlab run'"
        )
    try:
        model.load_state_dict(load_file(path))
    except (SafetensorError, OSError, RuntimeError) as error:
        raise InputError(_damaged(path, error)) from error


def load_training(checkpoint: Path) -> tuple[dict[str, Any], Progress]:
    """The training state of `checkpoint`, on the CPU; restores the random states as a side effect."""
    path = checkpoint / TRAINING
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        random_part, progress = state.pop("random"), Progress(**state.pop("progress"))
    except Exception as error:  # torch.load raises whatever its reader happens to
        raise InputError(_damaged(path, error)) from error
    restore_random(random_part)
    return state, progress


def _damaged(path: Path, error: Exception) -> str:
    return (
        f"checkpoint {path} is damaged or of another model ({in_words(error).splitlines()[0]}); "
        f"point the link {path.parent.name} at another step in that folder, or start the run again"
    )


def random_state() -> dict[str, Any]:
    """The generators of python, numpy and torch, in types that can be loaded without pickle."""
    name, keys, *rest = np.random.get_state()
    state = {
        "torch": torch.get_rng_state(),
        "python": random.getstate(),
        "numpy": [name, np.asarray(keys).tolist(), *rest],
    }
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def restore_random(state: dict[str, Any]) -> None:
    """Restore what `random_state` gave; the GPUs' only where there are as many."""
    torch.set_rng_state(state["torch"])
    random.setstate(state["python"])
    np.random.set_state(tuple(state["numpy"]))
    if torch.cuda.is_available() and len(state.get("cuda", ())) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])


def _untied(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Copy tensors that share storage, which safetensors refuses to write."""
    seen: set[int] = set()
    for name, tensor in weights.items():
        if tensor.data_ptr() in seen:
            weights[name] = tensor.clone()
        seen.add(tensor.data_ptr())
    return weights


def _point(link: Path, target: str) -> None:
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)


def _remove_unlinked(folder: Path) -> None:
    kept = {(folder / link).resolve().name for link in ("last", "best")}
    for path in folder.glob("step-*"):
        if path.name not in kept:
            shutil.rmtree(path)
    for path in folder.glob(".step-*"):
        shutil.rmtree(path)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
