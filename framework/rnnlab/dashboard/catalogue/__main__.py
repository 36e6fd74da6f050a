"""The process that looks at the plugins: `python -m rnnlab.dashboard.catalogue`.

It writes two JSON lines: first what the records say, which takes a moment; then the same with every target
imported, which takes as long as importing torch does. It finds the plugins by the environment.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rnnlab.config import inventory
from rnnlab.dashboard.catalogue.installation import stamps
from rnnlab.lab.events import plain
from rnnlab.plugins.entry import Entry
from rnnlab.plugins.registry import Registry


def main() -> None:
    """Write both lines; whatever plugins print goes to stderr."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        with suppress(BrokenPipeError):  # nobody waits for it any more
            registry = Registry.discover()
            for load in (False, True):
                print(json.dumps(plain(catalogue(registry, load)), default=str), file=out, flush=True)


def catalogue(registry: Registry, load: bool) -> dict[str, Any]:
    """What `Catalogue.from_dict` reads, and the `files` it came from."""
    entries = list(inventory.entries(registry, load))
    return {
        "entries": [entry.to_dict() for entry in entries],
        "sections": inventory.sections(),
        "problems": [asdict(problem) for problem in registry.problems],
        "hooks": {
            owner.plugin: hooks for owner in registry.plugins if (hooks := registry.lifecycle_hooks(owner))
        },
        "blocked": [owner.plugin for owner in registry.blocked],
        "complete": load,
        "files": stamps(_files(entries)),
    }


def _files(entries: Iterable[Entry]) -> Iterator[str]:
    """The source files it came from: a distribution installed for editing changes under one version."""
    packages = {entry.target.partition(":")[0].partition(".")[0] for entry in entries} | {"rnnlab"}
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name.partition(".")[0] in packages:
            yield file
    for entry in entries:
        package, _, file = entry.target.partition(":")
        place = getattr(sys.modules.get(package), "__file__", None)
        if entry.kind == "preset" and place:
            yield str(Path(place).with_name(file))


if __name__ == "__main__":
    main()
