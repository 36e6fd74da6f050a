"""The Launch screen over the real catalogue and a third party's plugin; what it starts is kept, not run."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from rnnlab.dashboard.app import Dashboard
from rnnlab.dashboard.catalogue import Catalogue, Installation
from rnnlab.dashboard.catalogue.__main__ import catalogue as describe
from rnnlab.dashboard.form import Command, Form, Outcome, Plan, Verdict
from rnnlab.dashboard.screens import launch
from rnnlab.dashboard.screens.launch import LaunchScreen
from rnnlab.dashboard.screens.launch_fields import NAME, FieldRow
from rnnlab.dashboard.widgets.glyphs import UNICODE
from rnnlab.lab.lab import Lab
from rnnlab.plugins.registry import Registry

PLUGIN = '''
from typing import Literal
from pydantic import Field, field_validator
from rnnlab.api import Cell, CellConfig, CellSpec, Step, hookimpl

class LeakyConfig(CellConfig):
    shape: Literal["tanh", "relu"] = "tanh"
    """What bends it."""
    leak: float = Field(0.5, gt=0, le=1)
    """How much is lost at each step."""
    order: Literal[1, 2] | None = None
    slow: bool = False
    taps: list[int] = [1, 2]
    origin: str

    @field_validator("leak")
    @classmethod
    def not_a_third(cls, leak):
        if leak == 0.33:
            raise ValueError("a third never works; use 0.3")
        return leak

class Leaky(Cell):
    """A leaky integrator."""

    def step(self, projected, state):
        return Step(state)

@hookimpl
def rnnlab_cells():
    yield CellSpec("leaky", f"{__name__}:Leaky", f"{__name__}:LeakyConfig", "a leaky integrator")
    yield CellSpec("needy", f"{__name__}:Leaky", requires=("no_such_module",))
'''


class Answers:
    """Stands for the processes that hold the plugins: everything is valid at once."""

    def __init__(self, installation: Installation) -> None:
        pass

    def check(self, command: Command) -> Verdict:
        return Verdict()

    def size(self, command: Command) -> Verdict:
        return Verdict(parameters=1234, steps=50, backend="torch", device="cpu")

    def restart(self) -> None:
        pass

    def close(self) -> None:
        pass


class Launches:
    """Stands for the launcher and keeps what was asked of it."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self.outcome = Outcome("digits-1")

    def start(self, plan: Plan) -> Outcome:
        self.plans.append(plan)
        return self.outcome


class Lent(Dashboard):
    """The dashboard with a catalogue that is there at once, or is given later."""

    def __init__(self, lab: Lab, installation: Installation, given: Catalogue | None, glyphs=UNICODE) -> None:
        super().__init__(lab, installation, glyphs=glyphs)
        self.given = given
        self.launches = Launches()
        self.__dict__["launcher"] = self.launches
        self.opened: list[str] = []

    def look_at_plugins(self, anew: bool = False) -> None:
        if self.given is not None:
            self._take_catalogue(self.given)

    def open_live(self, run_id: str) -> None:
        self.opened.append(run_id)


class Desk:
    """The Launch screen of a dashboard, as its user sees it."""

    def __init__(self, app: Lent, stage: Any) -> None:
        self.app, self.stage = app, stage

    @property
    def screen(self) -> LaunchScreen:
        assert isinstance(self.app.screen, LaunchScreen)
        return self.app.screen

    @property
    def form(self) -> Form:
        assert self.screen.form is not None
        return self.screen.form

    @property
    def rows(self) -> dict[str, FieldRow]:
        return dict(self.screen.bench.pane.rows)

    @property
    def reachable(self) -> list[str]:
        """The keys of the fields that are shown."""
        return [row.key for row in self.screen.bench.pane.reachable()]

    @property
    def command(self) -> str:
        """What follows `rnnlab --plugins-dir FOLDER run`."""
        before, _, after = self.screen.bench.details.command.partition(" run ")
        assert not after or before == f"rnnlab --plugins-dir {self.app.installation.folders[0]}"
        return after

    @property
    def notices(self) -> list[str]:
        return [notice.message for notice in self.app._notifications]

    def has_keyboard(self, key: str) -> bool:
        return self.app.focused is self.rows[key].editor

    def said(self, key: str) -> str:
        """What stands under a field, as it is on the screen."""
        region = self.rows[key].region
        lines = self.stage.lines()[region.y + 1 : region.bottom]
        return " ".join(line[region.x + NAME : region.right].strip() for line in lines)

    async def go_to(self, name: str) -> None:
        """To the first field whose name holds that, by the filter, which is closed again."""
        await self.stage.press("ctrl+f")
        self.screen.bench.side.line.value = name
        await self.stage.press("enter")
        row = self.screen.bench.pane.focused()
        assert row is not None, f"no field has {name!r} in its name"
        await self.stage.press("escape")
        await self.stage.until(lambda: self.has_keyboard(row.key))

    async def type_over(self, value: str) -> None:
        await self.stage.press("home", "ctrl+k")
        await self.stage.type(value)

    async def fill_in(self, name: str, value: str) -> None:
        await self.go_to(name)
        await self.type_over(value)

    async def turn_to(self, key: str, wanted: str) -> None:
        """Change the choice that has the keyboard until it says so."""
        for _ in self.rows[key].field.options:
            before = self.rows[key].shown
            if before == wanted:
                return
            await self.stage.press("right")
            await self.stage.until(lambda before=before: self.rows[key].shown != before)
        assert self.rows[key].shown == wanted


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "launch_leaky.py").write_text(PLUGIN)
    return Installation.of([folder])


@pytest.fixture(scope="session")
def described(installation: Installation) -> dict[str, Any]:
    """What the describing process writes."""
    return json.loads(json.dumps(describe(Registry.discover(installation.folders), load=False)))


@pytest.fixture(scope="session")
def catalogue(described: dict[str, Any]) -> Catalogue:
    return Catalogue.from_dict(described, fresh=True)


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are saved, and runs kept, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugins answer at once."""
    monkeypatch.setattr(launch, "Consultant", Answers)


@pytest.fixture
def make_app(tmp_path: Path, installation: Installation, catalogue: Catalogue) -> Callable[..., Lent]:
    def make(given: Catalogue | None = catalogue, glyphs=UNICODE) -> Lent:
        return Lent(Lab(tmp_path / "runs"), installation, given, glyphs)

    return make


@pytest.fixture
def app(make_app: Callable[..., Lent], quick: None) -> Lent:
    return make_app()


@pytest.fixture
def at_desk(play: Callable[..., None]) -> Callable[..., None]:
    """`at_desk(app, scene, size=(140, 40))`: opens Launch, waits for its form, `await scene(stage, desk)`."""

    def at_desk(
        app: Lent, scene: Callable[[Any, Desk], Awaitable[None]], size: tuple[int, int] = (140, 40)
    ) -> None:
        async def opened(stage: Any) -> None:
            await stage.press("4")
            await stage.until(lambda: isinstance(app.screen, LaunchScreen) and app.screen.form)
            await stage.until(lambda: app.focused)
            await scene(stage, Desk(app, stage))

        play(app, opened, size)

    return at_desk
