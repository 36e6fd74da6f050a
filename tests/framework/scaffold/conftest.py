"""New plugins, made by the command."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from rnnlab.cli.app import App
from rnnlab.cli.plugins_new import new


@pytest.fixture(scope="session")
def make():
    """`rnnlab plugins new` with some arguments."""

    def make(*arguments: str) -> Result:
        return CliRunner().invoke(new, arguments, obj=App())

    return make
