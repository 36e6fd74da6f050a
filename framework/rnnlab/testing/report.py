"""Asking every check of an object, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rnnlab.errors import InputError, RnnlabError, did_you_mean
from rnnlab.plugins.loading import describe
from rnnlab.plugins.registry import Registry
from rnnlab.testing.catalogue import checks, subject
from rnnlab.testing.check import Check, Checked, Failed, Skipped
from rnnlab.testing.subject import Subject


@dataclass(frozen=True)
class Finding:
    """One check's answer.

    Attributes:
        check: what was asked.
        result: "ok"; "failed"; "skipped", which is no fault; or "left out", as the caller asked.
        reason: why it is not ok, one line; "" if ok.
        error: what a plugin raised; None if it failed otherwise.
    """

    check: Check
    result: Literal["ok", "failed", "skipped", "left out"]
    reason: str = ""
    error: BaseException | None = None

    @property
    def line(self) -> str:
        """What a report says beside the name and the result.

        Where to look belongs to what the check found; an exception of the plugin's own speaks for itself.
        """
        if self.result == "failed" and (self.error is None or isinstance(self.error, RnnlabError)):
            return f"{self.reason}; look at {self.check.look_at}"
        return self.reason or self.check.meaning


def ask(check: Check, of: Subject) -> Finding:
    """Ask one check, unless one that it needs fails; nothing that a plugin does raises."""
    asked = checks(of.kind)
    before = asked[: asked.index(check)] if check in asked else ()
    for first in before:
        if first.needed and _asked(first, of).result == "failed":
            return Finding(check, "skipped", first.needed)
    return _asked(check, of)


def _asked(check: Check, of: Subject) -> Finding:
    try:
        check.ask(of)
    except Skipped as reason:
        return Finding(check, "skipped", str(reason))
    except Failed as fault:
        return Finding(check, "failed", str(fault), fault.__cause__)
    except RnnlabError as error:
        return Finding(check, "failed", " ".join(str(error).split()), error)
    except Exception as error:
        return Finding(check, "failed", describe(error), error)
    return Finding(check, "ok")


def expect_known(without: Mapping[str, str], kinds: Iterable[Checked]) -> None:
    """Refuse to leave out a check that no object of these kinds has, or without a reason.

    Raises:
        InputError: in one line.
    """
    kinds = tuple(dict.fromkeys(kinds))
    names = {check.name for kind in kinds for check in checks(kind)}
    for name, reason in without.items():
        if name not in names:
            raise InputError(f"no check {name!r} for a {' or '.join(kinds)}{did_you_mean(name, names)}")
        if not reason.strip():
            raise InputError(f"expected a reason to leave out {name!r}, got none; say why it is not asked")


def findings(
    registry: Registry, kind: Checked, name: str, options: Mapping[str, Any] | None = None
) -> Iterator[Finding]:
    """Ask every check of the object of that kind and name, see `subject`; each answer when it is there."""
    of = subject(registry, kind, name, options)
    for check in checks(kind):
        yield ask(check, of)
