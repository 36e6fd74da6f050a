"""Everything installed as plain data, made by looking at the plugins. `Entry` says what of each."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from rnnlab.config import documents, presets
from rnnlab.config.draft import CORE_SECTIONS, Head
from rnnlab.config.section import Section
from rnnlab.config.wording import json_schema, plain_default
from rnnlab.errors import InputError
from rnnlab.plugins import loading
from rnnlab.plugins.checks import KINDS
from rnnlab.plugins.discovery import OWN_DISTRIBUTION
from rnnlab.plugins.entry import Entry
from rnnlab.plugins.registry import Registry
from rnnlab.plugins.spec import BackendSpec, DatasetSpec, Kind, PresetSpec, Spec, TaskSpec


def entries(registry: Registry, load: bool = False) -> Iterator[Entry]:
    """Everything registered, kind by kind, what is ready before what lacks a module.

    Args:
        registry: the plugins.
        load: import what the records name too, which may import torch: only that tells what is broken.
    """
    for kind in KINDS:
        for spec in (*registry.specs(kind), *registry.unavailable(kind)):
            yield describe(spec, kind, registry, load)


def describe(spec: Spec, kind: Kind, registry: Registry, load: bool = False) -> Entry:
    """One registered object; what is wrong with it is in the entry, nothing of that raises."""
    owner = registry.owner(spec)
    entry = Entry(
        kind=kind,
        name=spec.name,
        target=spec.target,
        summary=spec.summary,
        plugin=owner.plugin,
        origin=owner.origin,
        version=owner.version,
        built_in=owner.origin == OWN_DISTRIBUTION,
        local=owner.is_local,
        needs=spec.requires,
        **_own(spec),
    )
    lacking = registry.missing(spec)
    if lacking:
        reason = f"needs {', '.join(lacking)}"
        entry = replace(
            entry, health="unavailable", reason=reason, remedy=loading.install_hint(lacking, owner)
        )
    try:
        if isinstance(spec, PresetSpec):
            return replace(entry, **_preset(spec))
        entry = replace(entry, options=schema_of(registry.config_model(spec)))
        if load and not lacking:
            entry = replace(entry, **_loaded(kind, registry.load(spec)))
    except InputError as error:
        if not lacking:
            fix = f"correct {owner.origin}" if owner.is_local else f"update or remove {owner.origin}"
            entry = replace(entry, health="broken", reason=str(error), remedy=fix)
    return entry


def sections() -> dict[str, dict[str, Any]]:
    """The JSON schemas of what is no plugin's: section -> schema, "" for what stands above the sections."""
    return {"": schema_of(Head)} | {name: schema_of(model) for name, model in CORE_SECTIONS.items()}


def schema_of(model: type[Section]) -> dict[str, Any]:
    """The JSON schema of a section with every option in it and, unless it is required, its default.

    An option of a type that JSON schemas lack is there with its help alone.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a default that JSON cannot hold: it is written as text below
        schema = json_schema(model)
    properties = {name: dict(schema["properties"].get(name, {})) for name in model.model_fields}
    for name, option in model.model_fields.items():
        if option.description:
            properties[name]["description"] = " ".join(option.description.split())
        if not option.is_required():
            properties[name]["default"] = _plain(plain_default(model, name))
    return schema | {"properties": properties}


def _plain(value: Any) -> Any:
    try:
        return to_jsonable_python(value)
    except PydanticSerializationError:
        return str(value)


def _own(spec: Spec) -> dict[str, Any]:
    match spec:
        case TaskSpec():
            metrics = dict(spec.metrics)
            return {
                "modes": (spec.mode,),
                "metrics": metrics,
                "primary": spec.primary,
                "decoder": spec.decoder,
            }
        case DatasetSpec():
            return {"modes": tuple(spec.modes)}
        case BackendSpec():
            return {"rank": spec.rank}
    return {}


def _preset(spec: Spec) -> dict[str, Any]:
    text = presets.preset_text(spec)
    raw = documents.parse(text, f"preset {spec.name!r}")
    shown = presets.describe(spec)
    raw.pop(presets.ABOUT, None)
    return {
        "file": text,
        "summary": shown.summary,
        "about": _plain(dict(shown.about)),
        "experiment": _plain(raw),
    }


def _loaded(kind: Kind, found: Any) -> dict[str, Any]:
    return {
        "docs": inspect.getdoc(found) or "",
        "step": _source(found.step) if kind == "cell" else "",
    }


def _source(function: Any) -> str:
    try:
        return inspect.cleandoc("\n" + inspect.getsource(function))
    except OSError:  # a plugin shipped without its source
        return ""
