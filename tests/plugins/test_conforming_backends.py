"""The built-in backends keep their contract."""

from __future__ import annotations

from rnnlab.testing import conformance

test_reference = conformance("backend", "reference")
test_torch = conformance("backend", "torch")
