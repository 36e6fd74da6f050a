"""What is checked of everything registered, whatever its kind."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from rnnlab.plugins.spec import PresetSpec
from rnnlab.testing.check import check, expect
from rnnlab.testing.subject import Subject

HEAVY = ("torch", "mlflow", "pandas")
"""Modules that take so long to import that no listing may load them."""

_PROBE = """
import json, sys
from rnnlab.plugins import discovery
from rnnlab.plugins.registry import Registry

key, kind, name, *heavy = sys.argv[1:]
places = {}

class Watch:
    def find_spec(self, module, path=None, target=None):
        if module in heavy and module not in places:
            frame = sys._getframe(1)
            while frame.f_back and ("importlib" in frame.f_code.co_filename or frame.f_globals is globals()):
                frame = frame.f_back
            places[module] = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        return None

sys.meta_path.insert(0, Watch())
folders = discovery.existing_folders(discovery.folders_from_environment())
registry = Registry()
for candidate in [*discovery.installed(), *discovery.local(folders)]:
    if candidate.provider.plugin == key:
        registry.register(candidate.load(), candidate.provider)
if kind not in ("hooks", "preset"):
    registry.config_model(registry.lookup(kind, name))
json.dump({module: places[module] for module in heavy if module in sys.modules}, sys.stdout)
"""


@check("any", "the plugin's line in 'rnnlab plugins list', which says what is wrong and what to do")
def registers(subject: Subject) -> None:
    """Its plugin registers without a problem."""
    problems = [each for each in subject.registry.problems if each.plugin == subject.provider.plugin]
    expect(not problems, "; ".join(f"{each.reason} ({each.remedy})" for each in problems))


@check(
    "any",
    "its record's target: 'package.module:Object' must name a subclass of the base in rnnlab.api",
    needed="it cannot be loaded",
)
def loads(subject: Subject) -> None:
    """The class that its record names can be imported."""
    if subject.kind not in ("hooks", "preset"):
        subject.registry.load(subject.spec)
        subject.registry.config_model(subject.spec)


@check("any", "the record's summary, and the string under each field of the options' section")
def documented(subject: Subject) -> None:
    """It has a summary, and every option has a text of its own under it."""
    if subject.kind == "hooks":
        return
    spec = subject.spec
    if isinstance(spec, PresetSpec):
        from rnnlab.config.presets import describe

        expect(describe(spec).summary, "it has no summary; write about: {summary: ...} in its file")
        return
    expect(spec.summary, f"its {type(spec).__name__} has no summary")
    fields = subject.registry.config_model(spec).model_fields.items()
    bare = [name for name, field in fields if not (field.description or "").strip()]
    expect(not bare, f"no text under the option{'s' if len(bare) > 1 else ''} {', '.join(bare)}")


@check("any", "the imports at the top of the module that registers, and of the module of its options")
def light_import(subject: Subject) -> None:
    """Registering it imports no pandas or mlflow, and no torch unless it is all in one file."""
    heavy = [module for module in HEAVY if not (subject.is_one_file and module == "torch")]
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, subject.provider.plugin, subject.kind, subject.name, *heavy],
        env=os.environ | subject.registry.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    last = (done.stderr.strip().splitlines() or ["no word"])[-1]
    expect(done.returncode == 0, f"a fresh interpreter cannot register it: {last}")
    found = json.loads(done.stdout.strip().splitlines()[-1])
    expect(not found, "; ".join(f"{module} is imported at {place}" for module, place in found.items()))


CHECKS = (registers, loads, documented, light_import)
