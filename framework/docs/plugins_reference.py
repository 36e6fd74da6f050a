"""Writes plugins-reference.md from the code: `make reference`.

Signatures and docstrings are copied from the source as they stand; bodies and private names are left out.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import rnnlab.api
from rnnlab.plugins import hookspecs, spec
from rnnlab.testing import Checked, checks

PAGE = Path(__file__).with_name("plugins-reference.md")

HEAD = """\
# Plugins: the reference

Written by `make reference` from the code; [plugins.md](plugins.md) is the place to start. Everything here is
imported from `rnnlab.api`, save the hooks, which a plugin defines and marks `@hookimpl`. Tensors are
time-major: T steps, B rows, I inputs, H hidden units, S the width of a state, C classes.
"""

KINDS: dict[Checked, tuple[str, ...]] = {
    "cell": ("CellSpec", "Cell", "Step", "State", "CellConfig"),
    "task": (
        "TaskSpec",
        "Task",
        "Batch",
        "IGNORE",
        "Schema",
        "Vocabulary",
        "StackBuilder",
        "Stack",
        "Stepper",
        "Stream",
        "Loss",
        "Evaluation",
    ),
    "dataset": ("DatasetSpec", "Dataset", "Corpus", "Example", "DatasetConfig", "TokenDatasetConfig"),
    "backend": ("BackendSpec", "Backend", "Sequence", "loop", "cell_digest", "cache_folder"),
    "executor": ("ExecutorSpec", "Executor", "Handle"),
    "preset": ("PresetSpec",),
    "hooks": ("RunInfo",),
}
"""Kind -> what its authors import, in the order shown."""

EVERYONE = ("Section", "InputError")
"""What authors of every kind import."""


def page() -> str:
    """The whole page."""
    parts = [HEAD, "## Hooks\n", "Registration, called once at every start:\n"]
    parts.append(fenced(functions(hookspecs, "Registration")))
    parts.append(
        "Lifecycle, called in the training process; one that raises is reported, and the run goes on:\n"
    )
    parts.append(fenced(functions(hookspecs, "Lifecycle")))
    parts.append("## For every plugin\n")
    parts.append(fenced(definition(spec, "Spec")))
    parts += [fenced(api(name)) for name in EVERYONE]
    parts.append(table("Checked of everything that is registered", every_kind=True, kind="cell"))
    for kind, names in KINDS.items():
        parts.append(f"## {'Lifecycle hooks' if kind == 'hooks' else kind.capitalize()}\n")
        parts += [fenced(api(name)) for name in names]
        parts.append(table(f"Checked of {'lifecycle hooks' if kind == 'hooks' else f'a {kind}'}", kind=kind))
    return "\n".join(parts)


def fenced(code: str) -> str:
    """A block of code."""
    return f"```python\n{code}\n```\n"


def table(title: str, *, kind: Checked, every_kind: bool = False) -> str:
    """The checks of a kind, or those that every kind has."""
    rows = "".join(
        f"| `{check.name}` | {check.meaning} | {check.look_at} |\n"
        for check in checks(kind)
        if (check.kind == "any") is every_kind
    )
    return f"{title}:\n\n| check | what holds | where to look if it fails |\n| --- | --- | --- |\n{rows}"


def api(name: str) -> str:
    """A name of `rnnlab.api`: its signature and docstring, or its value and the text under it."""
    return definition(importlib.import_module(rnnlab.api._HOME_OF[name]), name)


def definition(module: ModuleType, name: str) -> str:
    """A name of a module, in the same way."""
    lines = inspect.getsource(module).splitlines()
    nodes = ast.parse("\n".join(lines)).body
    for node, after in zip(nodes, [*nodes[1:], None], strict=True):
        if named(node) == name:
            return "\n".join(shown(node, after, lines))
    raise LookupError(f"{name} is not defined in {module.__name__}")


def functions(module: ModuleType, class_name: str) -> str:
    """The methods of a class as functions."""
    lines = inspect.getsource(module).splitlines()
    (found,) = [node for node in ast.parse("\n".join(lines)).body if named(node) == class_name]
    assert isinstance(found, ast.ClassDef)
    blocks = []
    for node in found.body:
        if isinstance(node, ast.FunctionDef):
            text = inspect.cleandoc("\n" + "\n".join(stub(node, lines)))
            blocks.append(text.replace("@hookspec\n", "").replace("(self, ", "(").replace("(self)", "()"))
    return "\n\n\n".join(blocks)


def named(node: ast.stmt | None) -> str:
    """What a statement defines, "" if it defines nothing."""
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            return name
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return ""


def is_text(node: ast.stmt | None) -> bool:
    """Whether a statement is a string: a docstring, or the text under a field."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def shown(node: ast.stmt, after: ast.stmt | None, lines: list[str]) -> list[str]:
    """A definition without what it does, and the text under it if it is a field."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return stub(node, lines)
    last = after if after is not None and is_text(after) else node
    return lines[node.lineno - 1 : last.end_lineno]


def stub(node: ast.ClassDef | ast.FunctionDef, lines: list[str]) -> list[str]:
    """Signature and docstring; of a class its public members too."""
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    text = node.body[0] if is_text(node.body[0]) else None
    if text is not None:
        found = lines[first - 1 : text.end_lineno]
    else:
        found = lines[first - 1 : max(first, node.body[0].lineno - 1)]
        if isinstance(node, ast.FunctionDef):
            found = [*found[:-1], f"{found[-1]} ..."]
    if isinstance(node, ast.ClassDef):
        found = [*found, ""]
        for member in members(node, lines):
            found += ["", *member] if member[0].lstrip().startswith(("def ", "@")) and found[-1] else member
        found = found if found[-1] else found[:-1]
    return found


def members(node: ast.ClassDef, lines: list[str]) -> Iterator[list[str]]:
    """What a class has: fields, and methods as stubs."""
    for child, after in zip(node.body, [*node.body[1:], None], strict=True):
        name = named(child)
        if name and (not name.startswith("_") or name == "__init__") and name != "model_config":
            yield shown(child, after, lines)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
