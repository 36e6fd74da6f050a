"""The registry: a plugin that fails takes only itself down, and look-ups say what is wrong in one line."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from rnnlab.errors import InputError
from rnnlab.plugins.hookspecs import hookimpl
from rnnlab.plugins.provider import Problem, Provider
from rnnlab.plugins.registry import Registry
from rnnlab.plugins.spec import BackendSpec, CellSpec, DatasetSpec, PresetSpec, Spec, TaskSpec

HEALTHY = """
from rnnlab.api import CellSpec, hookimpl

@hookimpl
def rnnlab_cells():
    yield CellSpec("healthy", "plug_healthy:Target")
"""

BROKEN = {
    "syntax": ("def broken(:\n", "load", "SyntaxError: invalid syntax", "update or remove broken"),
    "import": (
        "import no_such_module\n",
        "load",
        "No module named 'no_such_module'",
        "pip install no_such_module",
    ),
    "exit": ("raise SystemExit(3)\n", "load", "SystemExit: 3", "update or remove broken"),
    "raising hook": (
        "from rnnlab.api import hookimpl\n@hookimpl\ndef rnnlab_tasks():\n    raise RuntimeError('boom')\n",
        "hook",
        "RuntimeError: boom",
        "update or remove broken",
    ),
    "misspelt hook": (
        "from rnnlab.api import hookimpl\n@hookimpl\ndef rnnlab_cels(): ...\n",
        "hook",
        "rnnlab_cels is no hook; did you mean 'rnnlab_cells'?",
        "rename or remove it",
    ),
    "unmarked hook": (
        "def rnnlab_cells(): ...\n",
        "hook",
        "rnnlab_cells is not marked as a hook",
        "@hookimpl",
    ),
    "wrong argument": (
        "from rnnlab.api import hookimpl\n@hookimpl\ndef rnnlab_interval(run, loss): ...\n",
        "hook",
        "rnnlab_interval asks for loss; the hook offers run, step, metrics",
        "rename or remove it",
    ),
    "wrapper": (
        "from rnnlab.api import hookimpl\n@hookimpl(wrapper=True)\ndef rnnlab_run_start(run):\n    yield\n",
        "hook",
        "rnnlab_run_start is a wrapper",
        "plain hook",
    ),
    "one record": (
        "from rnnlab.api import CellSpec, hookimpl\n@hookimpl\ndef rnnlab_cells():\n"
        "    return CellSpec('one', 'a:B')\n",
        "hook",
        "rnnlab_cells returned one CellSpec, expected several",
        "yield it",
    ),
}


def problem_of(registry: Registry, origin: str = "broken") -> Problem:
    (problem,) = [each for each in registry.problems if each.origin == origin]
    return problem


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_plugin_is_listed_and_stops_nothing(how, install):
    source, stage, reason, remedy = BROKEN[how]
    install("broken", source, version="2.3")
    install("healthy", HEALTHY)
    registry = Registry.discover()
    assert registry.get("cell", "healthy").target == "plug_healthy:Target"
    problem = problem_of(registry)
    assert (problem.plugin, problem.version, problem.stage) == ("broken:plugin", "2.3", stage)
    assert reason in problem.reason and remedy in problem.remedy
    assert "\n" not in problem.reason + problem.remedy


def test_the_other_hooks_of_a_faulty_plugin_still_count(install):
    install("broken", HEALTHY + "\n@hookimpl\ndef rnnlab_cels(): ...\n")
    registry = Registry.discover()
    assert registry.get("cell", "healthy") and problem_of(registry).stage == "hook"


def test_records_yielded_before_a_hook_raises_are_kept(install):
    install("broken", HEALTHY + "    raise RuntimeError('later')\n")
    registry = Registry.discover()
    assert registry.get("cell", "healthy") and "later" in problem_of(registry).reason


def test_a_colliding_name_is_refused_naming_both_and_the_first_stays(install):
    install("ant", HEALTHY)
    install("bee", HEALTHY.replace("plug_healthy", "plug_bee"), version="0.2")
    registry = Registry.discover()
    spec = registry.get("cell", "healthy")
    assert registry.provider(spec) == ("ant", "1.0")
    problem = problem_of(registry, "bee")
    assert problem.reason == "cell 'healthy' is already provided by ant:plugin (ant 1.0)"
    assert problem.remedy == "rename it in bee:plugin (bee 0.2), or remove one of the two"


WRONG_RECORDS = {
    "TaskSpec('x', 'a:B')": "rnnlab_cells gave TaskSpec 'x', expected CellSpec",
    "'lstm'": "rnnlab_cells gave str, expected CellSpec",
    "CellSpec('LSTM Big', 'a:B')": "cell 'LSTM Big': a name has lower-case letters, digits, _ and - only",
    "CellSpec('x', 'a.B')": "cell 'x': target must be 'package.module:Object', got 'a.B'",
    "CellSpec('x', 'a:B', 'a')": "cell 'x': config must be 'package.module:Object', got 'a'",
    "CellSpec('x', 'a:B', requires='numpy')": "cell 'x': requires must be a tuple of modules, got 'numpy'",
    "CellSpec('x', 'a:B', summary='a\\nb')": "cell 'x': summary must be one line of text, got 'a\\nb'",
}


@pytest.mark.parametrize("record", WRONG_RECORDS)
def test_a_wrong_record_is_refused_and_its_neighbours_stay(record, install):
    source = HEALTHY.replace("    yield", f"    yield {record}\n    yield")
    install("broken", source.replace("import CellSpec", "import CellSpec, TaskSpec"))
    registry = Registry.discover()
    problem = problem_of(registry)
    assert problem.stage == "register" and problem.reason == WRONG_RECORDS[record]
    assert registry.get("cell", "healthy")


def register(hook: str, record: Spec) -> Registry:
    """A registry of one plugin that yields one record."""
    plugin = SimpleNamespace(**{hook: hookimpl(lambda: [record])})
    registry = Registry()
    registry.register(plugin, Provider("broken:plugin", "broken", "1.0"))
    return registry


@pytest.mark.parametrize(
    ("hook", "record", "reason"),
    [
        (
            "rnnlab_tasks",
            TaskSpec("t", "a:B", metrics={"accuracy": "max"}, primary="acuracy"),
            "task 't': primary 'acuracy' is none of its metrics; did you mean 'accuracy'?",
        ),
        (
            "rnnlab_tasks",
            TaskSpec("t", "a:B", metrics={"f1": "up"}),
            "task 't': a metric is 'max' or 'min', got 'up'",
        ),
        (
            "rnnlab_tasks",
            TaskSpec("t", "a:B", mode="many"),
            "task 't': mode must be one of class, synchronous, asynchronous, got 'many'",
        ),
        (
            "rnnlab_datasets",
            DatasetSpec("d", "a:B"),
            "dataset 'd': modes must be a tuple of class, synchronous, asynchronous, got ()",
        ),
        ("rnnlab_backends", BackendSpec("auto", "a:B"), "backend 'auto': that name has a meaning of its own"),
        (
            "rnnlab_presets",
            PresetSpec("p", "x.yaml"),
            "preset 'p': target must be 'package:file.yaml', got 'x.yaml'",
        ),
    ],
)
def test_fields_of_each_kind_are_checked(hook, record, reason):
    assert problem_of(register(hook, record)).reason == reason


@pytest.mark.parametrize(
    ("metadata", "hint"),
    [
        ("", "pip install no_such_module"),
        (
            "Requires-Dist: no-such-modul>=1; extra == 'big'\nProvides-Extra: big\n",
            "pip install 'needy[big]'",
        ),
    ],
)
def test_a_missing_requirement_is_reported_and_named_on_use(metadata, hint, install):
    spec = 'CellSpec("needy", "plug_needy:Target", requires=("json", "no_such_module"))'
    install("needy", HEALTHY.replace('CellSpec("healthy", "plug_healthy:Target")', spec), requires=metadata)
    registry = Registry.discover()
    problem = problem_of(registry, "needy")
    assert problem.stage == "requires" and problem.remedy == hint
    assert problem.reason == "cell 'needy' needs the module 'no_such_module', not installed"
    assert [each.name for each in registry.unavailable("cell")] == ["needy"]
    assert "needy" not in [each.name for each in registry.specs("cell")]
    with pytest.raises(InputError) as raised:
        registry.get("cell", "needy")
    assert str(raised.value) == f"{problem.reason}; {hint}"


def test_a_dotted_requirement_is_looked_for_without_importing_its_package(install):
    install("parent", "raise RuntimeError('imported')")
    record = CellSpec("x", "a:B", requires=("xml.etree", "plug_parent.child"))
    registry = register("rnnlab_cells", record)
    assert registry.missing(registry.lookup("cell", "x")) == ("plug_parent.child",)


def test_an_unknown_name_gets_the_nearest_and_mentions_broken_plugins(install):
    install("healthy", HEALTHY)
    registry = Registry.discover()
    with pytest.raises(InputError, match=r"^no cell 'helthy' is installed; did you mean 'healthy'\?"):
        registry.get("cell", "helthy")
    install("broken", "def broken(:\n")
    with pytest.raises(InputError, match=r"\(.*broken:plugin.* did not load whole: 'rnnlab plugins list'\)$"):
        Registry.discover().get("cell", "mine")


TARGETS = """
from rnnlab.api import CellSpec, Dataset, DatasetConfig, DatasetSpec, ExecutorSpec, Section, hookimpl

class Words(Dataset):
    def read(self): ...

class Options(DatasetConfig):
    size: int = 1

class Clash(DatasetConfig):
    type: str = ""

def spec(name, target, config=None):
    return DatasetSpec(name, f"{__name__}:{target}", config and f"{__name__}:{config}", modes=("class",))

@hookimpl
def rnnlab_datasets():
    yield spec("words", "Words", "Options")
    yield spec("plain", "Words")
    yield spec("gone", "Wrods")
    yield spec("foreign", "Options", "Section")
    yield spec("clash", "Words", "Clash")
    yield DatasetSpec("nowhere", "plug_nowhere:Words", modes=("class",))

@hookimpl
def rnnlab_executors():
    yield ExecutorSpec("runner", "a:B")
"""


def test_load_and_config_model_check_what_they_find(install):
    install("words", TARGETS)
    registry = Registry.discover()
    words = registry.get("dataset", "words")
    assert registry.load(words).__name__ == "Words"
    assert registry.config_model(words)().model_dump() == {"limit": None, "size": 1}
    assert registry.config_model(registry.get("dataset", "plain")).__name__ == "DatasetConfig"
    assert registry.config_model(registry.get("executor", "runner")).__name__ == "Section"


@pytest.mark.parametrize(
    ("name", "method", "message"),
    [
        ("gone", "load", "dataset 'gone' of words 1.0: module 'plug_words' has no 'Wrods'"),
        (
            "nowhere",
            "load",
            "dataset 'nowhere' of words 1.0: cannot import 'plug_nowhere': "
            "ModuleNotFoundError: No module named 'plug_nowhere'",
        ),
        (
            "foreign",
            "load",
            "dataset 'foreign' of words 1.0: plug_words:Options must be a subclass of rnnlab.api.Dataset",
        ),
        (
            "foreign",
            "config_model",
            "dataset 'foreign' of words 1.0: plug_words:Section must be a subclass of rnnlab.api.DatasetConf",
        ),
        (
            "clash",
            "config_model",
            "dataset 'clash' of words 1.0: an option must not be called 'type'; rename it",
        ),
    ],
)
def test_what_cannot_be_loaded_is_an_input_error(name, method, message, install):
    install("words", TARGETS)
    registry = Registry.discover()
    with pytest.raises(InputError) as raised:
        getattr(registry, method)(registry.get("dataset", name))
    assert str(raised.value).startswith(message)
