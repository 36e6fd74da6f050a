"""A process that says what a run would be: `python -m rnnlab.execution.dry_run`.

It finds the plugins once and then answers requests, a JSON line each, until its stdin ends:

    {"do": "check", "source": PRESET|FILE, "overrides": [KEY=VALUE]} -> {"problems": [...], "config": ...}
    {"do": "size", "source": ..., "overrides": ...}                  -> {"problems": [...]} and a `Size`

`config` is the resolved experiment, null if there are problems. The first "size" imports torch and reads the
data, later ones keep both. For a form, which must import neither plugins nor torch.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rnnlab.config.build import load
from rnnlab.config.experiment import Experiment
from rnnlab.errors import ConfigError, RnnlabError, in_words
from rnnlab.lab.events import plain
from rnnlab.plugins.registry import Registry

if TYPE_CHECKING:
    from rnnlab.data.encoding import EncodedData

KEPT = 2
"""Data sets kept, so that a change of the model is answered without reading them again."""


class DryRun:
    """Answers requests with the plugins of its process."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._data: dict[tuple[str, str], EncodedData] = {}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request; whatever goes wrong is in its `problems`, a line each."""
        try:
            experiment = load(request["source"], request["overrides"], self.registry)
            if request["do"] == "size":
                return {"problems": [], **self._size(experiment)}
            return {"problems": [], "config": experiment.to_dict()}
        except ConfigError as error:
            return {"problems": error.problems, "config": None}
        except RnnlabError as error:
            return {"problems": [str(error)], "config": None}
        except Exception as error:  # a plugin's fault: the form goes on without this answer
            fault = " ".join(in_words(error).split())
            return {"problems": [f"{fault} (a fault of rnnlab or a plugin)"], "config": None}

    def _size(self, experiment: Experiment) -> dict[str, Any]:
        from rnnlab.training.assemble import read_data
        from rnnlab.training.size import size

        choice = experiment.dataset
        key = (choice.name, choice.options.model_dump_json())
        data = self._data.pop(key, None) or read_data(experiment, self.registry)[0]
        self._data[key] = data  # the last one asked for stands last
        while len(self._data) > KEPT:
            del self._data[next(iter(self._data))]
        return asdict(size(experiment, data, self.registry))


def main() -> None:
    """Answer until stdin ends; what plugins print goes to stderr."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        dry_run = DryRun(Registry.discover())
        for line in sys.stdin.buffer:
            print(json.dumps(plain(dry_run.answer(json.loads(line))), default=str), file=out, flush=True)


if __name__ == "__main__":
    main()
