"""`rnnlab doctor`."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from rnnlab.cli.app import App, plugins_dir_option

GIB = 1 << 30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: "ok", "note" (works without it) or "bad", and what to do."""

    what: str
    health: str
    detail: str


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugins_dir_option
@click.pass_obj
def doctor(app: App, as_json: bool) -> None:
    """Look at this machine and this lab; exit 1 if something needed is missing."""
    from rnnlab.cli.tables import print_json, print_table

    findings = [
        asdict(finding)
        for finding in (*_machine(), *_libraries(), *_plugins(app), *_backends(app), *_lab(app))
    ]
    if as_json:
        print_json(findings)
    else:
        print_table(findings, ("health", "what", "detail"), "nothing was looked at")
    if any(finding["health"] == "bad" for finding in findings):
        raise click.exceptions.Exit(1)


def _machine() -> Iterator[Finding]:
    import psutil

    memory = psutil.virtual_memory().total / GIB
    yield Finding("machine", "ok", f"{os.cpu_count()} processors, {memory:.0f} GiB, {platform.platform()}")
    yield Finding("python", "ok", platform.python_version())


def _libraries() -> Iterator[Finding]:
    import torch

    yield Finding(
        "torch",
        "ok",
        f"{torch.__version__}, oneDNN {'on' if torch.backends.mkldnn.is_available() else 'off'}",
    )
    if torch.cuda.is_available():
        version = torch.backends.cudnn.version()
        yield Finding("gpu", "ok", f"{torch.cuda.get_device_name()}, cuDNN {version}")
    else:
        yield Finding("gpu", "note", "none found; runs use the processor")
    for name in ("mlflow", "triton"):
        if importlib.util.find_spec(name) is None:
            health = "bad" if name == "mlflow" else "note"
            yield Finding(name, health, f"not installed; pip install {name}")
        else:
            yield Finding(name, "ok", importlib.metadata.version(name))


def _plugins(app: App) -> Iterator[Finding]:
    for problem in app.registry.problems:
        yield Finding(f"plugin {problem.plugin}", "note", f"{problem.reason}; {problem.remedy}")
    if not app.registry.problems:
        yield Finding("plugins", "ok", "all healthy")


def _backends(app: App) -> Iterator[Finding]:
    """Which cells each backend runs here, why not the others, and whether `auto` would take it."""
    from rnnlab.verification.combinations import chosen_devices
    from rnnlab.verification.support import support

    device = chosen_devices(())[-1]
    for spec in app.registry.specs("backend"):
        found = support(spec, app.registry, device)
        parts = [f"runs {', '.join(found.cells) or 'no cell'} on {device}", *found.refusals]
        parts += [f"auto takes another: {why}" for why in found.advice]
        yield Finding(f"backend {spec.name}", "ok" if found.cells else "note", "; ".join(parts))


def _writable(folder: Path) -> bool:
    """Whether a file can really be made there; os.access tells root nothing."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _lab(app: App) -> Iterator[Finding]:
    lab = app.lab.path
    parent = next(path for path in (lab, *lab.parents) if path.exists())
    if parent.is_dir() and _writable(parent):
        yield Finding("lab", "ok", f"{lab}, {len(app.lab.runs())} runs")
    else:
        yield Finding("lab", "bad", f"{lab} cannot be written; name another folder with --runs-dir")
    crashed = [run.id for run in app.lab.runs() if run.state == "crashed"]
    if crashed:
        yield Finding("crashed runs", "note", f"{', '.join(crashed)}; rnnlab resume RUN goes on with one")
