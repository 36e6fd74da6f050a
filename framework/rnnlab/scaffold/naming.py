"""The names that follow from a plugin's name."""

from __future__ import annotations

import builtins
import keyword
import re
from dataclasses import dataclass
from typing import Literal, get_args

from rnnlab.errors import InputError
from rnnlab.plugins.checks import KINDS, spec_faults
from rnnlab.plugins.discovery import LOCAL_PREFIX
from rnnlab.plugins.registry import Registry

Scaffolded = Literal["cell", "task", "dataset", "backend", "executor"]
"""The kinds that have templates."""

SCAFFOLDED: tuple[Scaffolded, ...] = get_args(Scaffolded)

LONGEST = 24
"""Letters of a name: with more, lines of the templates would be longer than linters allow."""

_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_IMPORTED = {"ClassVar", "F", "Field", "Iterator", "Literal", "Path", "Tensor"}
"""What the templates import beside `rnnlab.api`; a class of such a name would hide it."""


@dataclass(frozen=True)
class Naming:
    """A plugin's names.

    Attributes:
        kind: what it is.
        name: its name in configs, "my-cell".
    """

    kind: Scaffolded
    name: str

    @classmethod
    def checked(cls, kind: Scaffolded, name: str, registry: Registry) -> Naming:
        """The names of a new plugin.

        Raises:
            InputError: the name cannot be used, or is taken.
        """
        naming = cls(kind, name)
        if not _NAME.fullmatch(name) or len(name) > LONGEST:
            raise InputError(
                f"expected a name of at most {LONGEST} lower-case letters and digits, a letter first, "
                f"parts joined by - or _, got {name!r}; for example my-cell"
            )
        module = naming.module
        if module in ("rnnlab_plugins", "rnnlab_kernels") or module.startswith(LOCAL_PREFIX):
            raise InputError(f"name {name!r} would make the module {module}, which rnnlab has; take another")
        if naming._hides_a_class():
            raise InputError(
                f"name {name!r} would make the class {naming.class_name}, a name that is needed otherwise; "
                "take another"
            )
        for reason, _ in spec_faults(KINDS[kind](name, f"{module}:{naming.class_name}"), kind):
            if "modes" not in reason:  # the record is not whole yet
                raise InputError(f"{reason}; take another")
        taken = {spec.name: spec for spec in (*registry.specs(kind), *registry.unavailable(kind))}
        if name in taken:
            raise InputError(
                f"{kind} {name!r} is already provided by {registry.owner(taken[name])}; take another name"
            )
        return naming

    @property
    def stem(self) -> str:
        """As part of module and file names: "my_cell"."""
        return self.name.replace("-", "_")

    @property
    def distribution(self) -> str:
        """What pip calls it: "rnnlab-my-cell"."""
        return f"rnnlab-{self.name.replace('_', '-')}"

    @property
    def module(self) -> str:
        """What is imported: "rnnlab_my_cell"."""
        return f"rnnlab_{self.stem}"

    @property
    def class_name(self) -> str:
        """The start of its classes' names: "MyCell"."""
        return "".join(part.capitalize() for part in self.stem.split("_"))

    def _hides_a_class(self) -> bool:
        import rnnlab.api

        made = (self.class_name, f"{self.class_name}{self.kind.capitalize()}", f"{self.class_name}Config")
        known = {*rnnlab.api.__all__, *_IMPORTED, *vars(builtins), *keyword.kwlist}
        return not known.isdisjoint(made)
