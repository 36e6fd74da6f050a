"""What a form would run at one moment: to be checked, started or saved while the form goes on changing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnlab.dashboard.form.command import Command
from rnnlab.lab.run import replace_text


@dataclass(frozen=True)
class Plan:
    """An experiment, and how it is said in a shell.

    Attributes:
        command: what gives it; None if its form started from nothing.
        experiment: the raw experiment.
    """

    command: Command | None
    experiment: Mapping[str, Any]

    def save(self, path: Path) -> None:
        """Write an experiment file that `rnnlab run` and `Form.from_file` read. Raises OSError."""
        import yaml

        path.parent.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(dict(self.experiment), sort_keys=False, allow_unicode=True, width=100)
        replace_text(path, text)

    def command_or_file(self, path: Path) -> Command:
        """The command; without one, the command of a file that is written for it. Raises OSError."""
        if self.command is not None:
            return self.command
        self.save(path)
        return Command(str(path))
