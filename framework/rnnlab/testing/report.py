"""Asking every check of an object, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rnnlab.errors import InputError, RnnlabError
from rnnlab.plugins.loading import describe
from rnnlab.plugins.registry import Registry
from rnnlab.testing.catalogue import checks, subject
from rnnlab.testing.check import Check, Checked, Failed, Skipped
from rnnlab.testing.registration import loads, registers
from rnnlab.testing.subject import Subject


@dataclass(frozen=True)
class Finding:
    """One check's answer.

    Attributes:
        check: what was asked.
        result: "ok"; "failed"; or "skipped", which is no fault.
        reason: why it failed or was skipped, one line; "" if ok.
        error: what a plugin raised; None if it failed otherwise.
    """

    check: Check
    result: Literal["ok", "failed", "skipped"]
    reason: str = ""
    error: BaseException | None = None

    @property
    def line(self) -> str:
        """What a report says beside the name and the result."""
        if self.result == "failed":
            return f"{self.reason}; look at {self.check.look_at}"
        return self.reason or self.check.meaning


def ask(check: Check, of: Subject) -> Finding:
    """Ask one check; nothing that a plugin does raises."""
    try:
        if check not in (registers, loads):
            _load(of)
        check.ask(of)
    except Skipped as reason:
        return Finding(check, "skipped", str(reason))
    except Failed as fault:
        return Finding(check, "failed", str(fault))
    except RnnlabError as error:
        return Finding(check, "failed", " ".join(str(error).split()), error)
    except Exception as error:
        return Finding(check, "failed", describe(error), error)
    return Finding(check, "ok")


def _load(of: Subject) -> None:
    try:
        loads.ask(of)
    except InputError:
        raise Skipped("it cannot be loaded") from None


def findings(
    registry: Registry, kind: Checked, name: str, options: Mapping[str, Any] | None = None
) -> Iterator[Finding]:
    """Ask every check of the object of that kind and name, see `subject`; each answer when it is there."""
    of = subject(registry, kind, name, options)
    for check in checks(kind):
        yield ask(check, of)
