"""Executors that are wrong in one way, each caught by its check.

The other checks are not asked: each starts workers, and all of them of all faults take minutes.
"""

from __future__ import annotations

import pytest

from rnnlab.testing import ask, checks, subject
from rnnlab.testing.registration import CHECKS as SHARED

OWN = [check for check in checks("executor") if check not in SHARED]


@pytest.mark.slow
@pytest.mark.parametrize("check", OWN, ids=str)
def test_a_check_catches_its_fault(check, registry_of):
    found = ask(check, subject(registry_of("executor"), "executor", check.name))
    assert found.result == "failed", found.line
    expected = {
        "submit": "the handle's run_dir must be",
        "failure": "poll gives 0 for a run that is failed",
        "cancel": "a cancelled run is crashed, expected stopped",
        "resume": "runs began from the steps [None, None]",
    }
    assert expected[check.name] in found.reason
