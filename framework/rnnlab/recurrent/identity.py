"""What a cell computes, as a digest: the same for cells that differ only in their parameters' values."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Collection
from functools import cache
from pathlib import Path

from torch import nn

from rnnlab.recurrent.cell import Cell

PLAIN = (bool, int, float, str, tuple, type(None))


def cell_digest(cell: Cell, read: Collection[str] | None = None) -> str:
    """A digest of the cell's source, options, and the shapes of its parameters and buffers.

    With `read` only the shapes of the tensors of these names count, and the input size does not: the digest
    of what a step computes that reads no others.

    The source is that of the files in which its classes, and those of its submodules, are written, compiled
    modules as they are; what these files import is not looked at.
    """
    parts: list[object] = []
    for name, module in cell.named_modules():
        options = getattr(module, "config", None)
        dump = getattr(options, "model_dump_json", None)
        parts += [name, class_digest(type(module)), dump() if dump else repr(options)]
        values = {key: value for key, value in vars(module).items() if isinstance(value, PLAIN)}
        values["training"] = None
        parts.append(values if read is None else {**values, "input_size": None})
    tensors = [*cell.named_parameters(), *cell.named_buffers()]
    parts += [[name, list(each.shape)] for name, each in tensors if read is None or name in read]
    return _digest(parts)


@cache
def class_digest(kind: type) -> str:
    """A digest of the files in which a class and its bases are written, PyTorch's own left out."""
    parts: list[str] = []
    for base in kind.__mro__:
        if base is object or base is nn.Module:
            continue
        module = inspect.getmodule(base)
        parts.append(f"{base.__module__}.{base.__qualname__}")
        if base.__module__.split(".")[0] != "torch" and (file := getattr(module, "__file__", None)):
            parts.append(_file_digest(Path(file)))
    return _digest(parts)


@cache
def folder_digest(kind: type) -> str:
    """A digest of the class, and of the Python files beside the one in which it is written."""
    module = inspect.getmodule(kind)
    file = getattr(module, "__file__", None)
    beside = sorted(Path(file).parent.glob("*.py")) if file else []
    return _digest([class_digest(kind), *map(_file_digest, beside)])


def _file_digest(path: Path) -> str:
    """Of what stands in the file; "" if it cannot be read, as a module's that lies in an archive."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _digest(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, default=repr, sort_keys=True).encode()).hexdigest()
