"""Every key of the dashboard, and the name to remap it by."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module

from textual.binding import Binding
from textual.dom import DOMNode

PLACES = ("rnnlab.dashboard.screens", "rnnlab.dashboard.widgets")


def own_classes() -> Iterator[type[DOMNode]]:
    """The app, its screens and its widgets; imports them all."""
    modules = [import_module("rnnlab.dashboard.app")]
    for place in PLACES:
        package = import_module(place)
        modules += [
            import_module(f"{place}.{found.name}") for found in pkgutil.iter_modules(package.__path__)
        ]
    for module in modules:
        for _, found in inspect.getmembers(module, inspect.isclass):
            if found.__module__ == module.__name__ and issubclass(found, DOMNode):
                yield found


def own_bindings(owner: type[DOMNode]) -> list[Binding]:
    """What the class itself binds, without what it inherits."""
    return [
        binding if isinstance(binding, Binding) else Binding(*binding)
        for binding in vars(owner).get("BINDINGS", ())
    ]


def names() -> frozenset[str]:
    """The names of all bindings."""
    found = (binding.id for owner in own_classes() for binding in own_bindings(owner))
    return frozenset(name for name in found if name)


def left_without(keys: Mapping[str, str]) -> dict[str, str]:
    """The bindings that lose their only key when others are given it.

    Args:
        keys: name of a binding -> the keys it is given, separated by commas.

    Returns:
        Name of a binding -> its former keys.
    """
    lost = {}
    for owner in own_classes():
        bindings = own_bindings(owner)
        given = {key for binding in bindings for key in keys.get(binding.id or "", "").split(",")}
        for binding in bindings:
            if binding.id and binding.id not in keys and given.issuperset(binding.key.split(",")):
                lost[binding.id] = binding.key
    return lost
