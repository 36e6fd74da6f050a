"""Where a run had the plugins from that are not at hand any more."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnlab.config.draft import KIND_OF_SECTION
from rnnlab.errors import ConfigError
from rnnlab.lab.events import RunStarted
from rnnlab.lab.journal import read
from rnnlab.lab.run import Run
from rnnlab.plugins.registry import Registry


@contextmanager
def plugins_of(run: Run, registry: Registry) -> Iterator[None]:
    """Around the reading of a run's config: an error about a plugin that is not installed says where from.

    Raises:
        ConfigError: as it was raised inside, with that in its lines.
    """
    try:
        yield
    except ConfigError as error:
        raise ConfigError([_told(problem, run, registry) for problem in error.problems]) from error


def _told(problem: str, run: Run, registry: Registry) -> str:
    """A problem; for a plugin that is not installed, where the run had it instead of what is spelt alike."""
    for section, kind in KIND_OF_SECTION.items():
        missing = f"{section}.type: no {kind} {_name(run, section)!r} is installed"
        if problem.startswith(missing):
            return f"{missing}; {hint}" if (hint := _hint(run, registry)) else problem
    return problem


def _name(run: Run, section: str) -> str | None:
    options = run.config.get(section)
    return options.get("type") if isinstance(options, dict) else None


def _hint(run: Run, registry: Registry) -> str:
    """The files that the run had plugins from, and the option that finds them; "" if they were looked at."""
    starts = [event for event in read(run.events_path) if isinstance(event, RunStarted)]
    origins = [origin for start in starts[-1:] for origin in start.versions if Path(origin).is_absolute()]
    if {problem.origin for problem in registry.problems} & set(origins):
        return ""
    absent = [Path(origin) for origin in origins if origin not in {each.origin for each in registry.plugins}]
    if not absent:
        return "a plugin in a folder needs --plugins-dir DIR"
    folders = dict.fromkeys(shlex.quote(str(file.parent)) for file in absent)
    options = " ".join(f"--plugins-dir {folder}" for folder in folders)
    return f"the run had it from {' or '.join(map(str, absent))}: add {options}"
