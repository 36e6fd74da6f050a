"""Reading what stands beside the journal: a run's config and the numbers of its status."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rnnlab.errors import InputError, in_words

# libyaml reads a config in a seventh of the time; a lab has hundreds.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_config(path: Path) -> dict[str, Any]:
    """config.yaml as plain data.

    Raises:
        InputError: it cannot be read, or holds no mapping.
    """
    try:
        config = yaml.load(path.read_bytes(), _Loader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{path.name} cannot be read ({in_words(error).splitlines()[0]})") from None
    if not isinstance(config, dict):
        raise InputError(f"{path.name} cannot be read (expected a mapping, got {type(config).__name__})")
    return config


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A config as dotted key -> scalar, as overrides name them; a list becomes JSON."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = (
                json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
            )
    return flat


def tidy(status: Mapping[str, Any]) -> dict[str, Any]:
    """What a snapshot needs of status.json, each field of its type; what is not is left out."""
    kinds = {"state": str, "reason": str, "monitor": str, "backend": str}
    kinds |= {"step": int, "total_steps": int, "parameters": int}
    found = {name: status[name] for name, kind in kinds.items() if isinstance(status.get(name), kind)}
    return found | {"scores": numbers(status.get("scores"))}


def numbers(scores: Any) -> dict[str, float]:
    """The scores of a status file; those JSON lacks are strings there. What is no number is left out."""
    found: dict[str, float] = {}
    for name, value in scores.items() if isinstance(scores, Mapping) else ():
        try:
            found[str(name)] = float(value)
        except (TypeError, ValueError):
            continue
    return found
