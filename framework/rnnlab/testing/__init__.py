"""Does a plugin keep its contract? Checks by kind, for `rnnlab plugins check` and for pytest.

    from rnnlab.testing import conformance

    test_conformance = conformance("cell", "mycell")

Importing this imports neither torch nor pytest.
"""

from __future__ import annotations

from rnnlab.testing.catalogue import CHECKED, checks, subject
from rnnlab.testing.check import Check, Checked, Failed, Skipped
from rnnlab.testing.conformance import conformance
from rnnlab.testing.report import Finding, ask, expect_known, findings
from rnnlab.testing.subject import Subject, named

__all__ = [
    "CHECKED",
    "Check",
    "Checked",
    "Failed",
    "Finding",
    "Skipped",
    "Subject",
    "ask",
    "checks",
    "conformance",
    "expect_known",
    "findings",
    "named",
    "subject",
]
