"""Lifecycle hooks: each plugin's is called by itself, in installed order."""

from __future__ import annotations

from rnnlab.plugins.hookspecs import hookimpl
from rnnlab.plugins.provider import Provider
from rnnlab.plugins.registry import Registry


class Recorder:
    def __init__(self, name: str, calls: list[tuple[str, int]]) -> None:
        self.name, self.calls = name, calls

    @hookimpl
    def rnnlab_interval(self, step: int) -> None:
        self.calls.append((self.name, step))


class Eager(Recorder):
    @hookimpl(tryfirst=True)
    def rnnlab_interval(self, step: int) -> None:
        super().rnnlab_interval(step)


class Raising:
    @hookimpl
    def rnnlab_interval(self, run: object, metrics: dict[str, float]) -> None:
        raise ValueError(f"cannot show {metrics}")


def test_a_raising_hook_is_reported_and_the_others_run():
    calls: list[tuple[str, int]] = []
    registry = Registry()
    for plugin in (Recorder("a", calls), Raising(), Recorder("b", calls), Eager("eager", calls)):
        name = f"{getattr(plugin, 'name', 'raising')}:hooks"
        registry.register(plugin, Provider(name, name.partition(":")[0]))
    errors: list[tuple[str, str]] = []
    registry.lifecycle(
        "rnnlab_interval",
        lambda plugin, error: errors.append((plugin, str(error))),
        run=object(),
        step=7,
        metrics={"loss": 1.0},
    )
    assert calls == [("eager", 7), ("a", 7), ("b", 7)]
    assert errors == [("raising:hooks", "cannot show {'loss': 1.0}")]
    assert registry.problems == []
    assert registry.lifecycle_hooks(registry.plugins[0]) == ["rnnlab_interval"]
