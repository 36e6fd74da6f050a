"""What a check is asked of: one registered object, or a plugin's lifecycle hooks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rnnlab.config.wording import explain
from rnnlab.errors import ConfigError, InputError, did_you_mean
from rnnlab.plugins.checks import KINDS
from rnnlab.plugins.provider import Provider
from rnnlab.plugins.registry import Registry
from rnnlab.plugins.spec import Kind, Spec
from rnnlab.testing.check import Checked, Skipped


class Subject:
    """A registered object.

    Attributes:
        registry: the plugins it was found among.
        kind: "cell", ..., or "hooks".
        name: its name; for "hooks" the plugin's key, "distribution:entry_point" or "local:file_stem".
        given: options that differ from their defaults; for a preset, dotted key -> value.
    """

    def __init__(
        self, registry: Registry, kind: Checked, name: str, given: Mapping[str, Any] | None = None
    ) -> None:
        """
        Raises:
            InputError: there is no such object.
            ConfigError: its options are wrong.
        """
        self.registry, self.name, self.given = registry, name, dict(given or {})
        self.kind: Checked = kind
        self._spec = None if kind == "hooks" else registry.get(kind, name)
        self.provider = self._provider()
        if self.given and kind != "preset":
            self._check_given()

    @property
    def spec(self) -> Any:
        """Its record, a `Spec` of its kind."""
        assert isinstance(self._spec, Spec), "lifecycle hooks have no record"
        return self._spec

    @property
    def target(self) -> Any:
        """The class it names."""
        return self.registry.load(self.spec)

    @cached_property
    def section(self) -> Any:
        """Its options, the given ones and the other defaults.

        Raises:
            Skipped: some have no default and were not given.
        """
        model = self.registry.config_model(self.spec)
        needed = [name for name, field in model.model_fields.items() if field.is_required()]
        if lacking := [name for name in needed if name not in self.given]:
            words = " ".join(f"{name}=..." for name in lacking)
            raise Skipped(f"it has options without a default; give them: {words}")
        return model.model_validate(self.given)

    @property
    def is_one_file(self) -> bool:
        """Whether it is in a local plugin of one file, which registers it and holds it."""
        return self.provider.is_local and Path(self.provider.origin).is_file()

    def _provider(self) -> Provider:
        if self._spec is not None:
            return self.registry.owner(self._spec)
        known = {provider.plugin: provider for provider in self.registry.plugins}
        if self.name not in known:
            raise InputError(f"no plugin {self.name!r} is installed{did_you_mean(self.name, known)}")
        if not self.registry.lifecycle_hooks(known[self.name]):
            raise InputError(
                f"plugin {self.name!r} has no lifecycle hooks; 'rnnlab plugins list' shows who has"
            )
        return known[self.name]

    def _check_given(self) -> None:
        if self.kind == "hooks":
            raise InputError(f"lifecycle hooks have no options, got {', '.join(self.given)}; leave them out")
        model = self.registry.config_model(self.spec)
        try:
            model.model_validate(self.given)
        except ValidationError as error:
            found = [each for each in error.errors() if each["type"] != "missing"]
            if found:
                raise ConfigError(explain(error, model, self.name, {})) from None


def named(registry: Registry, name: str) -> list[tuple[Checked, str]]:
    """Kind and name of everything called `name`: objects of any kind, or all that a plugin provides.

    Args:
        registry: the plugins.
        name: of an object; or a plugin's key, "distribution:entry_point" or "local:file_stem"; or its
            distribution, or its file.

    Raises:
        InputError: nothing is called so; the message names the nearest, or says why it did not load.
    """
    every: list[tuple[Kind, Spec]] = [
        (kind, spec) for kind in KINDS for spec in (*registry.specs(kind), *registry.unavailable(kind))
    ]
    found: list[tuple[Checked, str]] = []
    found.extend((kind, spec.name) for kind, spec in every if spec.name == name)
    if found:
        return found
    for owner in (each for each in registry.plugins if name in (each.plugin, each.origin)):
        found.extend((kind, spec.name) for kind, spec in every if registry.owner(spec) == owner)
        if registry.lifecycle_hooks(owner):
            found.append(("hooks", owner.plugin))
    if found:
        return found
    for problem in registry.problems:
        if name in (problem.plugin, problem.origin, problem.plugin.partition(":")[2]):
            raise InputError(f"plugin {problem}")
    known = {spec.name for _, spec in every} | {each.plugin for each in registry.plugins}
    raise InputError(f"no plugin {name!r} is installed{did_you_mean(name, known)}")
