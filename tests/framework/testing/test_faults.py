"""Every check catches the plugin that was made wrong for it, and no other check blames that plugin."""

from __future__ import annotations

import pytest

from rnnlab.testing import CHECKED, ask, checks, subject
from rnnlab.testing.registration import CHECKS as SHARED

QUICK = ("cell", "task", "dataset", "backend", "preset", "hooks")
"""An executor's checks start processes: `test_executor_faults.py`."""

ALSO = {
    # A cell that knows where in a sequence a step stands cannot be given the sequence in pieces either.
    ("cell", "reverse"): {"streaming"},
}
"""Other checks that cannot but fail for a fault."""

FURTHER = {("cell", "batch-norm"): "batch"}
"""Faults beside the one that has its check's name, and the check that catches each."""

SLOW = "light-import"
"""Starts an interpreter each time; asked of its own fault and, as a control, of one more plugin."""


def own_checks(kind):
    """Those with a fault of this kind: what is asked of everything has its faults among the cells."""
    return [check for check in checks(kind) if kind == "cell" or check not in SHARED]


def faulty_name(kind, check):
    return f"local:{check.name.replace('-', '_')}" if kind == "hooks" else check.name


def cases(*kinds):
    found = [(kind, check) for kind in kinds for check in own_checks(kind)]
    return pytest.mark.parametrize(("kind", "check"), found, ids=[f"{kind}-{check}" for kind, check in found])


def test_every_check_has_a_fault_and_every_fault_a_check(faults):
    expected = {(kind, check.name.replace("-", "_")) for kind in CHECKED for check in own_checks(kind)}
    there = {
        (path.parent.name, path.stem)
        for path in faults.glob("*/*")
        if path.suffix == ".py" or (path.is_dir() and (path / "__init__.py").exists())
    }
    assert there == expected | {(kind, name.replace("-", "_")) for kind, name in FURTHER}


@pytest.mark.parametrize("kind", CHECKED)
def test_checks_have_names_meanings_and_places_to_look_at(kind):
    found = checks(kind)
    assert len({check.name for check in found}) == len(found)
    for check in found:
        assert check.kind in (kind, "any")
        assert check.meaning.endswith(".") and check.look_at and "\n" not in check.meaning + check.look_at


@cases(*QUICK)
def test_a_check_catches_its_fault_and_no_other_does(kind, check, registry_of):
    of = subject(registry_of(kind), kind, faulty_name(kind, check))
    line = caught(of, check.name)
    assert check.look_at in line and "\n" not in line


@pytest.mark.parametrize(("kind", "name"), FURTHER)
def test_a_check_catches_its_further_faults(kind, name, registry_of):
    caught(subject(registry_of(kind), kind, name), FURTHER[kind, name])


def caught(of, check):
    """What `check` says of a fault that it alone must find."""
    asked = [each for each in own_checks(of.kind) if each.name != SLOW or check in (SLOW, "batch")]
    found = {each.name: ask(each, of) for each in asked}
    failed = {name for name, finding in found.items() if finding.result == "failed"}
    assert failed == {check} | ALSO.get((of.kind, check), set()), {name: found[name].line for name in failed}
    return found[check].line
