"""What is checked of a plugin before it takes part: its hooks and its records."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

import pluggy

from rnnlab.errors import did_you_mean
from rnnlab.plugins.hookspecs import GROUP, Lifecycle, Registration
from rnnlab.plugins.spec import (
    BackendSpec,
    CellSpec,
    DatasetSpec,
    ExecutorSpec,
    Kind,
    Mode,
    PresetSpec,
    Spec,
    TaskSpec,
)

KINDS: dict[Kind, type[Spec]] = {
    "cell": CellSpec,
    "task": TaskSpec,
    "dataset": DatasetSpec,
    "backend": BackendSpec,
    "executor": ExecutorSpec,
    "preset": PresetSpec,
}
"""The record of each kind, in the order listings use."""

REGISTRATION_HOOKS: dict[str, Kind] = {f"rnnlab_{kind}s": kind for kind in KINDS}

Fault = tuple[str, str]
"""A reason and a remedy."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:\S+")
_RESERVED = {("backend", "auto")}


class HookManager(pluggy.PluginManager):
    """A plugin manager that leaves out a faulty hook and reports it, instead of refusing the plugin."""

    def __init__(self, report: Callable[[object, Fault], None]) -> None:
        super().__init__(GROUP)
        self._report = report
        for specification in (Registration, Lifecycle):
            self.add_hookspecs(specification)

    def parse_hookimpl_opts(self, plugin: object, name: str) -> Any:
        """The hook's options, None for what is no hook or must not be called as one."""
        options = super().parse_hookimpl_opts(plugin, name)
        fault = self._unmarked(plugin, name) if options is None else self._fault(plugin, name, options)
        if fault is None:
            return options
        if fault != _IGNORED:
            self._report(plugin, fault)
        return None

    def _unmarked(self, plugin: object, name: str) -> Fault | None:
        if name in vars(self.hook) and inspect.isroutine(getattr(plugin, name, None)):
            return f"{name} is not marked as a hook", f"put @hookimpl above def {name}"
        return None

    def _fault(self, plugin: object, name: str, options: Mapping[str, Any]) -> Fault | None:
        hook_name = options.get("specname") or name
        hook = vars(self.hook).get(hook_name)
        if hook is None or hook.spec is None:
            if options.get("optionalhook"):
                return _IGNORED
            known = [each for each in vars(self.hook) if each.startswith(GROUP)]
            return f"{hook_name} is no hook{did_you_mean(hook_name, known)}", "rename or remove it"
        if options.get("wrapper") or options.get("hookwrapper"):
            return f"{name} is a wrapper, and hooks are called one by one", "make it a plain hook"
        arguments = inspect.signature(getattr(plugin, name)).parameters.values()
        foreign = [
            each.name
            for each in arguments
            if each.default is each.empty and each.name not in hook.spec.argnames
        ]
        if foreign:
            offered = ", ".join(hook.spec.argnames) or "no arguments"
            return f"{name} asks for {', '.join(foreign)}; the hook offers {offered}", "rename or remove it"
        return None


_IGNORED: Fault = ("", "")


def spec_faults(spec: object, kind: Kind) -> Iterator[Fault]:
    """Everything wrong with a record that the hook of `kind` yielded."""
    expected = KINDS[kind]
    if not isinstance(spec, expected):
        yield (
            f"rnnlab_{kind}s gave {_label(spec)}, expected {expected.__name__}",
            _right_hook(spec, expected),
        )
        return
    label = f"{kind} {spec.name!r}"
    if not isinstance(spec.name, str) or not _NAME.fullmatch(spec.name):
        yield f"{label}: a name has lower-case letters, digits, _ and - only", "rename it"
    if (kind, spec.name) in _RESERVED:
        yield f"{label}: that name has a meaning of its own", "rename it"
    for field in ("target", "config"):
        value = getattr(spec, field)
        if not (field == "config" and value is None) and not (
            isinstance(value, str) and _TARGET.fullmatch(value)
        ):
            shape = "package:file.yaml" if kind == "preset" and field == "target" else "package.module:Object"
            yield f"{label}: {field} must be {shape!r}, got {value!r}", f"correct its {field}"
    if not isinstance(spec.summary, str) or "\n" in spec.summary:
        yield f"{label}: summary must be one line of text, got {spec.summary!r}", "shorten it"
    if isinstance(spec.requires, str) or not all(isinstance(each, str) for each in spec.requires):
        yield f"{label}: requires must be a tuple of modules, got {spec.requires!r}", "write ('module',)"
    yield from _own_faults(spec, label)


def _own_faults(spec: Spec, label: str) -> Iterator[Fault]:
    modes = get_args(Mode)
    match spec:
        case BackendSpec(rank=rank) if not isinstance(rank, int):
            yield f"{label}: rank must be an integer, got {rank!r}", "correct its rank"
        case DatasetSpec(modes=given) if not given or isinstance(given, str) or set(given) - set(modes):
            yield f"{label}: modes must be a tuple of {', '.join(modes)}, got {given!r}", "correct its modes"
        case TaskSpec():
            if spec.mode not in modes:
                reason = f"{label}: mode must be one of {', '.join(modes)}, got {spec.mode!r}"
                yield reason, "correct its mode"
            if wrong := set(spec.metrics.values()) - {"max", "min"}:
                yield f"{label}: a metric is 'max' or 'min', got {wrong.pop()!r}", "correct its metrics"
            if spec.primary != "loss" and spec.primary not in spec.metrics:
                hint = did_you_mean(spec.primary, [*spec.metrics, "loss"])
                yield f"{label}: primary {spec.primary!r} is none of its metrics{hint}", "correct its primary"


def _label(given: object) -> str:
    name = f" {given.name!r}" if isinstance(given, Spec) else ""
    return f"{type(given).__name__}{name}"


def _right_hook(given: object, expected: type[Spec]) -> str:
    for kind, record in KINDS.items():
        if type(given) is record:
            return f"yield it from rnnlab_{kind}s"
    return f"yield {expected.__name__} records"
