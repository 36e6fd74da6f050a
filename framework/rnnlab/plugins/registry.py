"""The registry: every plugin found, checked, and looked up by kind and name."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from rnnlab.errors import InputError, did_you_mean
from rnnlab.plugins import discovery, faults, loading
from rnnlab.plugins.checks import KINDS, REGISTRATION_HOOKS, Fault, HookManager, spec_faults
from rnnlab.plugins.lifecycle import LifecycleHooks
from rnnlab.plugins.provider import Problem, Provider
from rnnlab.plugins.spec import BackendSpec, DatasetSpec, Kind, Spec, TaskSpec

if TYPE_CHECKING:
    from rnnlab.config.section import Section

_BASES = {"cell": "Cell", "task": "Task", "dataset": "Dataset", "backend": "Backend", "executor": "Executor"}
_DEFAULT_SECTIONS = {"cell": "CellConfig", "dataset": "DatasetConfig"}


class Registry:
    """All plugins of a process. A plugin that fails is listed in `problems` and stops nothing else.

    Attributes:
        problems: what was wrong with plugins, in the order found.
        plugins: who registered, in the order they did.
        blocked: plugins found and left out because third-party plugins are off.
        lifecycle: calls a lifecycle hook of every plugin; see `LifecycleHooks`.
        plugins_dirs: the folders that local plugins were looked for in, absolute.
        enabled: whether third-party plugins are on.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.plugins: list[Provider] = []
        self.blocked: list[Provider] = []
        self.plugins_dirs: tuple[Path, ...] = ()
        self.enabled = True
        self._registering: Provider | None = None
        self._manager = HookManager(self._report_hook)
        self.lifecycle = LifecycleHooks(self._manager)
        self._specs: dict[Kind, dict[str, Spec]] = {kind: {} for kind in KINDS}
        self._providers: dict[tuple[Kind, str], Provider] = {}
        self._missing: dict[tuple[Kind, str], tuple[str, ...]] = {}

    @classmethod
    def discover(cls, plugins_dirs: Iterable[str | Path] = (), enabled: bool = True) -> Registry:
        """Find and register every plugin: installed distributions first, then local folders.

        Args:
            plugins_dirs: folders of local plugins; none given means what RNNLAB_PLUGINS_DIR names.
            enabled: False, or RNNLAB_NO_PLUGINS=1, leaves only the plugins of rnnlab's own distribution.

        Raises:
            InputError: a named folder does not exist. Nothing a plugin does raises.
        """
        registry = cls()
        registry.enabled = enabled and not discovery.disabled_by_environment()
        folders = list(plugins_dirs) or discovery.folders_from_environment()
        registry.plugins_dirs = discovery.existing_folders(folders)
        for candidate in [*discovery.installed(), *discovery.local(registry.plugins_dirs)]:
            provider = candidate.provider
            if not registry.enabled and provider.origin != discovery.OWN_DISTRIBUTION:
                registry.blocked.append(provider)
                continue
            try:
                with redirect_stdout(sys.stderr):  # what a plugin prints must not spoil a command's JSON
                    plugin = candidate.load()
            except (Exception, SystemExit) as error:
                registry._report(provider, "load", error)
            else:
                registry.register(plugin, provider)
        return registry

    def environment(self) -> dict[str, str]:
        """The environment variables that make another process discover the same plugins."""
        return discovery.environment(self.plugins_dirs, self.enabled)

    def command(self, words: str) -> str:
        """The command line `rnnlab WORDS` that finds the plugins of the same folders."""
        folders = (f"--plugins-dir {shlex.quote(str(folder))} " for folder in self.plugins_dirs)
        return f"rnnlab {''.join(folders)}{words}"

    def register(self, plugin: object, provider: Provider) -> None:
        """Add one plugin, a module or an object with hooks; what is wrong with it goes to `problems`."""
        self._registering = provider
        try:
            self._manager.register(plugin, name=provider.plugin)
        except (Exception, SystemExit) as error:
            self._manager.unregister(name=provider.plugin)
            self._report(provider, "hook", error)
            return
        self.plugins.append(provider)
        for hook, kind in REGISTRATION_HOOKS.items():
            for implementation in getattr(self._manager.hook, hook).get_hookimpls():
                if implementation.plugin is plugin:
                    self._collect(implementation.function, kind, provider)

    def _collect(self, hook: Any, kind: Kind, provider: Provider) -> None:
        try:
            given = hook()
            if isinstance(given, Spec):
                reason = f"rnnlab_{kind}s returned one {type(given).__name__}, expected several"
                self.problems.append(provider.problem("hook", reason, "yield it instead"))
                return
            for spec in given or ():
                self._add(spec, kind, provider)
        except (Exception, SystemExit) as error:
            self._report(provider, "hook", error)

    def _add(self, spec: Spec, kind: Kind, provider: Provider) -> None:
        faults = list(spec_faults(spec, kind))
        if not faults and spec.name in self._specs[kind]:
            first = self._providers[kind, spec.name]
            reason = f"{kind} {spec.name!r} is already provided by {first.plugin} ({first})"
            faults = [(reason, f"rename it in {provider.plugin} ({provider}), or remove one of the two")]
        for reason, remedy in faults:
            self.problems.append(provider.problem("register", reason, remedy))
        if faults:
            return
        self._specs[kind][spec.name] = spec
        self._providers[kind, spec.name] = provider
        if lacking := loading.missing(spec.requires):
            self._missing[kind, spec.name] = lacking
            reason = f"{kind} {spec.name!r} needs {_modules(lacking)}, not installed"
            self.problems.append(
                provider.problem("requires", reason, loading.install_hint(lacking, provider))
            )

    def _report(self, provider: Provider, stage: Literal["load", "hook"], error: BaseException) -> None:
        reason = faults.untyped_option(error) or loading.describe(error)
        self.problems.append(provider.problem(stage, reason, loading.remedy(error, provider)))

    def _report_hook(self, plugin: object, fault: Fault) -> None:
        assert self._registering is not None
        self.problems.append(self._registering.problem("hook", *fault))

    @overload
    def specs(self, kind: Literal["task"]) -> Sequence[TaskSpec]: ...
    @overload
    def specs(self, kind: Literal["dataset"]) -> Sequence[DatasetSpec]: ...
    @overload
    def specs(self, kind: Literal["backend"]) -> Sequence[BackendSpec]: ...
    @overload
    def specs(self, kind: Kind) -> Sequence[Spec]: ...
    def specs(self, kind: Kind) -> Any:
        """What is installed of a kind and has all it needs, in the order found."""
        return [spec for name, spec in self._specs[kind].items() if (kind, name) not in self._missing]

    def unavailable(self, kind: Kind) -> Sequence[Spec]:
        """What is installed of a kind and lacks a module it needs."""
        return [spec for name, spec in self._specs[kind].items() if (kind, name) in self._missing]

    def missing(self, spec: Spec) -> tuple[str, ...]:
        """The modules that `spec` needs and that are not installed."""
        return self._missing.get((kind_of(spec), spec.name), ())

    def lookup(self, kind: Kind, name: str) -> Spec:
        """The record of that name, whether or not it has all it needs.

        Raises:
            InputError: none is installed; the message names the nearest.
        """
        spec = self._specs[kind].get(name)
        if spec is not None:
            return spec
        broken = {problem.plugin for problem in self.problems if problem.stage != "requires"}
        aside = ""
        if broken:
            aside = f" ({', '.join(sorted(broken))} did not load whole: '{self.command('plugins list')}')"
        if not self._specs[kind]:
            raise InputError(f"no {kind} {name!r} is installed, nor any other {kind}{aside}")
        raise InputError(f"no {kind} {name!r} is installed{did_you_mean(name, self._specs[kind])}{aside}")

    @overload
    def get(self, kind: Literal["task"], name: str) -> TaskSpec: ...
    @overload
    def get(self, kind: Literal["dataset"], name: str) -> DatasetSpec: ...
    @overload
    def get(self, kind: Literal["backend"], name: str) -> BackendSpec: ...
    @overload
    def get(self, kind: Kind, name: str) -> Spec: ...
    def get(self, kind: Kind, name: str) -> Any:
        """The record of that name, ready for use.

        Raises:
            InputError: none is installed, or it lacks a module; the message says how to install it.
        """
        spec = self.lookup(kind, name)
        if lacking := self.missing(spec):
            hint = loading.install_hint(lacking, self.owner(spec))
            raise InputError(f"{kind} {name!r} needs {_modules(lacking)}, not installed; {hint}")
        return spec

    def owner(self, spec: Spec) -> Provider:
        """The plugin that registered `spec`."""
        return self._providers[kind_of(spec), spec.name]

    def provider(self, spec: Spec) -> tuple[str, str]:
        """The distribution, or local file, that `spec` comes from, and its version."""
        owner = self.owner(spec)
        return owner.origin, owner.version

    def load(self, spec: Spec) -> Any:
        """The object `spec.target` names: a class; not for presets.

        Raises:
            InputError: it cannot be imported, is not there, or is not a subclass of its kind's base.
        """
        return self._load_class(spec, "target", _BASES[kind_of(spec)])

    def config_model(self, spec: Spec) -> type[Section]:
        """The section of its options: its own, or the kind's default.

        Raises:
            InputError: it cannot be imported, is not there, is no section, or has a key named `type`.
        """
        base = _DEFAULT_SECTIONS.get(kind_of(spec), "Section")
        if spec.config is None:
            return loading.contract(base)
        model = self._load_class(spec, "config", base)
        if "type" in model.model_fields:
            raise InputError(f"{self._label(spec)}: an option must not be called 'type'; rename it")
        return model

    def _load_class(self, spec: Spec, field: Literal["target", "config"], base: str) -> Any:
        target: str = getattr(spec, field)
        try:
            found = loading.import_target(target)
        except InputError as error:
            why = faults.untyped_option(error.__cause__) or error
            raise InputError(f"{self._label(spec)}: {why}") from error
        if not isinstance(found, type) or not issubclass(found, loading.contract(base)):
            raise InputError(f"{self._label(spec)}: {target} must be a subclass of rnnlab.api.{base}")
        return found

    def _label(self, spec: Spec) -> str:
        return f"{kind_of(spec)} {spec.name!r} of {self.owner(spec)}"

    def lifecycle_hooks(self, provider: Provider) -> list[str]:
        """Names of the lifecycle hooks that a plugin has."""
        callers = self._manager.get_hookcallers(self._manager.get_plugin(provider.plugin)) or []
        return [caller.name for caller in callers if caller.name not in REGISTRATION_HOOKS]


def kind_of(spec: Spec) -> Kind:
    """The kind that a record is of."""
    return next(kind for kind, record in KINDS.items() if isinstance(spec, record))


def _modules(names: Iterable[str]) -> str:
    listed = [repr(name) for name in names]
    return f"the module{'s' if len(listed) > 1 else ''} {', '.join(listed)}"
