"""Asking what a form's run would be, in threads, when the user pauses: validity first, then size and time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.timer import Timer
from textual.widget import Widget

from rnnlab.dashboard.form import Consultant, Estimate, Form, PastRun, Plan, Verdict, estimate, past_runs
from rnnlab.lab.cache import cache_folder

if TYPE_CHECKING:
    from rnnlab.dashboard.app import Dashboard

PAUSE = 0.25
"""Seconds without a change before a form is checked."""


@dataclass(frozen=True)
class Findings:
    """What is known of the form as it is now.

    Attributes:
        check: the full validation; None while it is not answered.
        size: parameters and steps; None while they are not known.
        estimate: how long it takes; None if no run of the lab was like it.
    """

    check: Verdict | None = None
    size: Verdict | None = None
    estimate: Estimate | None = None


class Checker:
    """Keeps the findings of a form that changes.

    Attributes:
        findings: of the last form asked about, as far as they are known.
    """

    def __init__(
        self,
        owner: Widget,
        dashboard: Dashboard,
        consultant: Consultant,
        on_change: Callable[[], None],
    ) -> None:
        """
        Args:
            owner: whose timers wait and in whose turn the answers are taken.
            dashboard: whose threads ask, and whose lab's past runs tell the speed.
            consultant: who answers.
            on_change: called when the findings have changed.
        """
        self.owner, self.dashboard, self.consultant, self.on_change = owner, dashboard, consultant, on_change
        self.findings = Findings()
        self._wanted: Plan | None = None
        self._busy: set[str] = set()
        self._timer: Timer | None = None
        self._draft = cache_folder() / "experiments" / f"draft-{os.getpid()}.yaml"

    def ask(self, form: Form) -> None:
        """Find out about the form as it is now, when nothing changes for a moment."""
        plan = form.plan()
        if plan == self._wanted:
            return
        self._wanted = plan
        self.findings = Findings()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.owner.set_timer(PAUSE, partial(self._start, "check"))

    def forget(self) -> None:
        """Ask again at the next `ask`, even about the same: plugins or past runs have changed."""
        self._wanted = None

    def close(self) -> None:
        """End the processes that answer."""
        self.consultant.close()
        self._draft.unlink(missing_ok=True)

    def _start(self, what: str) -> None:
        if what not in self._busy and self._wanted is not None:
            self._busy.add(what)
            work = partial(self._answer, what, self._wanted, self.findings.check)
            self.dashboard.in_thread(work)

    def _answer(self, what: str, plan: Plan, check: Verdict | None) -> None:
        """In a thread: get the answer and hand it to the app's thread."""
        told: Estimate | None = None
        try:
            command = plan.command_or_file(self._draft)
            verdict = self.consultant.check(command) if what == "check" else self.consultant.size(command)
            if what == "size" and check is not None and verdict.steps:
                told = estimate(_flat(check.config), verdict.steps, self._past())
        except OSError as error:
            verdict = Verdict((f"{self._draft} cannot be written ({error.strerror})",))
        take = partial(self._take, what, plan, verdict, told)
        with suppress(RuntimeError):  # the app has ended
            self.owner.call_later(take)

    def _take(self, what: str, plan: Plan, verdict: Verdict, told: Estimate | None) -> None:
        self._busy.discard(what)
        if plan != self._wanted:  # the form has changed meanwhile
            if what == "check" or (self.findings.check and not self.findings.check.problems):
                self._start(what)
            return
        if what == "check":
            self.findings = Findings(verdict)
            if not verdict.problems:
                self._start("size")
        else:
            self.findings = Findings(self.findings.check, verdict, told)
        self.on_change()

    def _past(self) -> list[PastRun]:
        lab = self.dashboard.lab
        return past_runs(lab) if lab.path.is_dir() else []


def _flat(config: Mapping[str, Any]) -> Mapping[str, Any]:
    from rnnlab.config.experiment import flatten

    return flatten(dict(config))
