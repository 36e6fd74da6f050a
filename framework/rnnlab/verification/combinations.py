"""What there is to verify: installed cells, each with the options that change its equations, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import torch
from pydantic import ValidationError

from rnnlab.config.section import Section
from rnnlab.errors import InputError, did_you_mean
from rnnlab.plugins.registry import Registry
from rnnlab.plugins.spec import BackendSpec, Kind, Spec
from rnnlab.recurrent.cell import Cell
from rnnlab.verification.precision import PRECISIONS, Precision


@dataclass(frozen=True)
class Filters:
    """Names to keep; none given keeps all.

    Attributes:
        cells, backends: names among the plugins.
        precisions: names among PRECISIONS.
        devices: "cpu" or "cuda".
    """

    cells: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    precisions: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


class RefusedOptions(InputError):
    """A cell that cannot have the options given: some are missing, or exclude one another."""


@dataclass(frozen=True)
class Variant:
    """A cell with some of its options.

    Attributes:
        spec: the cell.
        options: those that differ from their defaults.
    """

    spec: Spec
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The cell as the command line of `rnnlab run` writes it: "rnn nonlinearity=relu"."""
        words = (f"{name}={_written(value)}" for name, value in self.options.items())
        return " ".join((self.spec.name, *words))

    def make(self, registry: Registry, input_size: int, hidden_size: int) -> Cell:
        """The cell on the CPU in float64, the same each time, with no parameter left at a round value.

        Raises:
            InputError: the plugin cannot be loaded.
            RefusedOptions: the cell's section refuses these options.
        """
        build, section = registry.load(self.spec), registry.config_model(self.spec)
        try:
            options = section.model_validate(dict(self.options))
        except ValidationError as error:
            raise RefusedOptions(f"the cell's options refuse it: {_first(error)}") from error
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            cell: Cell = build(input_size, hidden_size, options).double().eval()
            for parameter in cell.parameters():
                # A bias of zero or a scale of one would hide a backend that leaves it out.
                parameter.data += torch.empty_like(parameter).uniform_(-0.5, 0.5) / hidden_size**0.5
        return cell


@dataclass(frozen=True)
class Combination:
    """A variant of a cell, a backend, and where it computes."""

    variant: Variant
    backend: BackendSpec
    device: str
    precision: Precision


def combinations(registry: Registry, filters: Filters) -> list[Combination]:
    """Everything installed that passes `filters`, cell by cell; backends that prepare cells only if named.

    Raises:
        InputError: a name that is not installed, a GPU that is not there, or nothing left.
    """
    cells = _chosen(registry, "cell", filters.cells)
    backends: list[Any] = _chosen(registry, "backend", filters.backends)
    if not filters.backends:
        backends = [spec for spec in backends if not spec.prepares]
    precisions = [
        PRECISIONS[name] for name in filters.precisions or PRECISIONS if _known(name, PRECISIONS, "dtype")
    ]
    found = [
        Combination(variant, backend, device, precision)
        for cell in cells
        for variant in variants(registry, cell)
        for backend in sorted(backends, key=lambda spec: (spec.rank, spec.name))
        for device in chosen_devices(filters.devices)
        for precision in precisions
        if precision.exists_on(device)
    ]
    if not found:
        raise InputError(_nothing(bool(cells), bool(backends)))
    return found


def chosen_devices(names: Iterable[str]) -> list[str]:
    """`names`, or every device of this machine.

    Raises:
        InputError: no such device, or a GPU where there is none.
    """
    available = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    names = list(dict.fromkeys(names))
    for name in names:
        if _known(name, ("cpu", "cuda"), "device") and name not in available:
            raise InputError("expected a GPU for device 'cuda', found none; use cpu")
    return names or available


def variants(registry: Registry, spec: Spec) -> Iterator[Variant]:
    """The cell with its default options, then with every other value of each that is a choice.

    A choice is an option whose type is a Literal, an enumeration or a truth value. A cell whose options
    cannot be loaded has one variant, which cannot be made.
    """
    yield Variant(spec)
    try:
        model = registry.config_model(spec)
    except InputError:
        return
    for name, default in _defaults(model).items():
        for value in _choices(model.model_fields[name].annotation):
            if value != default:
                yield Variant(spec, {name: value})


def _defaults(model: type[Section]) -> dict[str, Any]:
    return {
        name: option.get_default(call_default_factory=True, validated_data={})
        for name, option in model.model_fields.items()
        if not option.is_required()
    }


def _choices(annotation: Any) -> tuple[Any, ...]:
    """The values of a type that has only so many; () for others."""
    origin = get_origin(annotation)
    if origin is Literal:
        return get_args(annotation)
    if origin in (Union, UnionType):
        return tuple(value for member in get_args(annotation) for value in _choices(member))
    if annotation is bool:
        return (True, False)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(annotation)
    return ()


def _first(error: ValidationError) -> str:
    """The first of the errors, in a line."""
    found = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, found['loc']))}: {found['msg']}".removeprefix(": ")


def _written(value: Any) -> str:
    if isinstance(value, Enum):
        value = value.value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _chosen(registry: Registry, kind: Kind, names: tuple[str, ...]) -> list[Spec]:
    if not names:
        return list(registry.specs(kind))
    return [registry.get(kind, name) for name in dict.fromkeys(names)]


def _known(name: str, names: Iterable[str], what: str) -> bool:
    """True.

    Raises:
        InputError: `name` is none of `names`.
    """
    if name not in names:
        raise InputError(f"unknown {what} {name!r}{did_you_mean(name, names)}")
    return True


def _nothing(cells: bool, backends: bool) -> str:
    if not cells or not backends:
        return f"no {'backend' if cells else 'cell'} is installed; 'rnnlab plugins list' shows what is"
    return "nothing is left to do: tf32 is a way of computing on GPUs; use --dtype float32 or --device cuda"
