"""What every command gets: the lab and the installed plugins, found when first asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rnnlab.lab.lab import Lab
    from rnnlab.plugins.registry import Registry


@dataclass
class App:
    """The global options. `--plugins-dir` and `--no-plugins` reach workers through the environment."""

    runs_dir: str | None = None
    plugins_dirs: tuple[str, ...] = ()
    plugins: bool = True
    debug: bool = False

    @cached_property
    def lab(self) -> Lab:
        """The folder of runs."""
        from rnnlab.lab.lab import Lab

        return Lab.open(self.runs_dir)

    @cached_property
    def registry(self) -> Registry:
        """The installed plugins, which worker processes will find through the environment."""
        from rnnlab.plugins.registry import Registry

        registry = Registry.discover(self.plugins_dirs, self.plugins)
        os.environ |= registry.environment()
        return registry


def _also_from(context: click.Context, option: click.Parameter, folders: tuple[str, ...]) -> None:
    if folders:
        app = context.find_object(App)
        assert app is not None
        app.plugins_dirs += folders


plugins_dir_option: Callable[[Any], Any] = click.option(
    "--plugins-dir",
    metavar="DIR",
    multiple=True,
    expose_value=False,
    callback=_also_from,
    help="Also load plugins from the .py files of this folder.",
)
"""Before the command or after it, the option means the same."""
