"""Everything a plugin imports, and all that it may import of rnnlab.

Names are loaded on first use: a registration module that takes `hookimpl` and the Spec records from here
does not import torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnlab.config.section import CellConfig as CellConfig
    from rnnlab.config.section import DatasetConfig as DatasetConfig
    from rnnlab.config.section import Section as Section
    from rnnlab.config.section import TokenDatasetConfig as TokenDatasetConfig
    from rnnlab.data.batch import IGNORE as IGNORE
    from rnnlab.data.batch import Batch as Batch
    from rnnlab.data.dataset import Corpus as Corpus
    from rnnlab.data.dataset import Dataset as Dataset
    from rnnlab.data.dataset import Example as Example
    from rnnlab.data.schema import Schema as Schema
    from rnnlab.data.vocabulary import Vocabulary as Vocabulary
    from rnnlab.errors import InputError as InputError
    from rnnlab.execution.executor import Executor as Executor
    from rnnlab.execution.executor import Handle as Handle
    from rnnlab.lab.cache import cache_folder as cache_folder
    from rnnlab.lab.run import RunInfo as RunInfo
    from rnnlab.plugins.hookspecs import hookimpl as hookimpl
    from rnnlab.plugins.spec import BackendSpec as BackendSpec
    from rnnlab.plugins.spec import CellSpec as CellSpec
    from rnnlab.plugins.spec import DatasetSpec as DatasetSpec
    from rnnlab.plugins.spec import ExecutorSpec as ExecutorSpec
    from rnnlab.plugins.spec import PresetSpec as PresetSpec
    from rnnlab.plugins.spec import TaskSpec as TaskSpec
    from rnnlab.recurrent.backend import Backend as Backend
    from rnnlab.recurrent.backend import Sequence as Sequence
    from rnnlab.recurrent.cell import Cell as Cell
    from rnnlab.recurrent.cell import State as State
    from rnnlab.recurrent.cell import Step as Step
    from rnnlab.recurrent.identity import cell_digest as cell_digest
    from rnnlab.recurrent.loop import loop as loop
    from rnnlab.recurrent.stack import Stack as Stack
    from rnnlab.recurrent.streaming import Stepper as Stepper
    from rnnlab.recurrent.streaming import Stream as Stream
    from rnnlab.training.task import Evaluation as Evaluation
    from rnnlab.training.task import Loss as Loss
    from rnnlab.training.task import StackBuilder as StackBuilder
    from rnnlab.training.task import Task as Task

_HOMES = {
    "rnnlab.config.section": ("CellConfig", "DatasetConfig", "Section", "TokenDatasetConfig"),
    "rnnlab.data.batch": ("IGNORE", "Batch"),
    "rnnlab.data.dataset": ("Corpus", "Dataset", "Example"),
    "rnnlab.data.schema": ("Schema",),
    "rnnlab.data.vocabulary": ("Vocabulary",),
    "rnnlab.errors": ("InputError",),
    "rnnlab.execution.executor": ("Executor", "Handle"),
    "rnnlab.lab.cache": ("cache_folder",),
    "rnnlab.lab.run": ("RunInfo",),
    "rnnlab.plugins.hookspecs": ("hookimpl",),
    "rnnlab.plugins.spec": (
        "BackendSpec",
        "CellSpec",
        "DatasetSpec",
        "ExecutorSpec",
        "PresetSpec",
        "TaskSpec",
    ),
    "rnnlab.recurrent.backend": ("Backend", "Sequence"),
    "rnnlab.recurrent.cell": ("Cell", "State", "Step"),
    "rnnlab.recurrent.identity": ("cell_digest",),
    "rnnlab.recurrent.loop": ("loop",),
    "rnnlab.recurrent.stack": ("Stack",),
    "rnnlab.recurrent.streaming": ("Stepper", "Stream"),
    "rnnlab.training.task": ("Evaluation", "Loss", "StackBuilder", "Task"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'rnnlab.api' has no attribute {name!r}; it has: {', '.join(__all__)}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return __all__
