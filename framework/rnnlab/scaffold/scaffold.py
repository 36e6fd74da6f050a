"""Filling in the templates."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template

from rnnlab import __version__
from rnnlab.errors import InputError
from rnnlab.scaffold.naming import Naming

_TEMPLATES = resources.files("rnnlab.scaffold") / "templates"
_RUN = {
    "cell": "cell=",
    "task": "task=",
    "dataset": "dataset=",
    "backend": "cell=rnn backend=",
    "executor": "executor=",
}
_HOLDS = {
    "__init__.py": "registers the {kind}",
    "config.py": "its options",
    "cell.py": "its formula",
    "task.py": "its model, loss and scores",
    "dataset.py": "its reader",
    "backend.py": "what it supports, and how it runs that",
    "executor.py": "where it starts a run",
}


def trial(naming: Naming) -> str:
    """The words after `rnnlab` that train a preset with the new plugin."""
    return f"run digits-rows {_RUN[naming.kind]}{naming.name}"


def package(naming: Naming) -> dict[str, str]:
    """The files of a package that can be installed: path in it -> text."""
    source = f"src/{naming.module}"
    code = {
        name: _filled(f"{naming.kind}/{name}.tmpl", naming)
        for name in ("__init__.py", "config.py", f"{naming.kind}.py")
        if (_TEMPLATES / naming.kind / f"{name}.tmpl").is_file()
    }
    listed = "".join(f"| `{source}/{name}` | {_HOLDS[name].format(kind=naming.kind)} |\n" for name in code)
    return {
        "pyproject.toml": _filled("package/pyproject.toml.tmpl", naming),
        "README.md": _filled("package/README.md.tmpl", naming, files=listed, run=f"rnnlab {trial(naming)}"),
        "LICENSE": (_TEMPLATES / "package" / "LICENSE").read_text(encoding="utf-8"),
        ".gitignore": _filled("package/gitignore.tmpl", naming),
        **{f"{source}/{name}": text for name, text in code.items()},
        f"tests/test_{naming.stem}.py": _filled("package/test.py.tmpl", naming),
    }


def single_file(naming: Naming) -> dict[str, str]:
    """A plugin of one file for `--plugins-dir`, and its test, in a folder that rnnlab does not load."""
    return {
        f"{naming.stem}.py": _filled(f"{naming.kind}/single.py.tmpl", naming),
        f"tests/test_{naming.stem}.py": _filled("single/test.py.tmpl", naming),
    }


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write files into a folder, which is made if it is missing. Nothing is overwritten.

    Raises:
        InputError: one of them is there already, or cannot be written.
    """
    for path in files:
        if (folder / path).exists():
            raise InputError(
                f"{folder / path} exists, and nothing is overwritten; take another name or --to DIR"
            )
    for path, text in files.items():
        try:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            with (folder / path).open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise InputError(
                f"{folder / path} cannot be written ({error.strerror}); name another folder by --to DIR"
            ) from None


def _filled(template: str, naming: Naming, **more: str) -> str:
    """The text of a template."""
    text = _TEMPLATES.joinpath(*template.split("/")).read_text(encoding="utf-8")
    return Template(text).substitute(
        kind=naming.kind,
        name=naming.name,
        stem=naming.stem,
        distribution=naming.distribution,
        module=naming.module,
        class_name=naming.class_name,
        version=__version__,
        **more,
    )
