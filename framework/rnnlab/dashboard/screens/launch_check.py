"""Asking what a form's run would be, in threads, when the user pauses: validity first, then size and time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from textual.timer import Timer

from rnnlab.dashboard.catalogue.installation import cache_folder
from rnnlab.dashboard.form import Command, Consultant, Estimate, Form, PastRun, Verdict, estimate, past_runs
from rnnlab.dashboard.screens.lab_screen import LabScreen
from rnnlab.lab.lab import Lab
from rnnlab.lab.run import replace_text

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


@dataclass(frozen=True)
class Question:
    """A form at one moment: its command, or the experiment where it has none."""

    command: Command | None
    experiment: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, form: Form) -> Question:
        """The question that a form is."""
        command = form.command()
        return cls(command, None if command else form.experiment())


class Checker:
    """Keeps the findings of a form that changes.

    Attributes:
        findings: of the last form asked about, as far as they are known.
    """

    def __init__(
        self,
        screen: LabScreen,
        consultant: Consultant,
        lab: Lab,
        on_change: Callable[[], None],
    ) -> None:
        """
        Args:
            screen: whose timers and thread are used.
            consultant: who answers.
            lab: whose past runs tell the speed.
            on_change: called in the screen's own thread when the findings have changed.
        """
        self.screen, self.consultant, self.lab, self.on_change = screen, consultant, lab, on_change
        self.findings = Findings()
        self._wanted: Question | None = None
        self._busy: set[str] = set()
        self._timer: Timer | None = None
        self._draft = cache_folder() / "experiments" / f"draft-{os.getpid()}.yaml"

    def ask(self, form: Form) -> None:
        """Find out about the form as it is now, when nothing changes for a moment."""
        question = Question.of(form)
        if question == self._wanted:
            return
        self._wanted = question
        self.findings = Findings()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.screen.set_timer(PAUSE, partial(self._start, "check"))

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
            self.screen.dashboard.in_thread(work)

    def _answer(self, what: str, question: Question, check: Verdict | None) -> None:
        """In a thread: get the answer and hand it to the screen's thread."""
        told: Estimate | None = None
        try:
            command = question.command or self._drafted(question)
            verdict = self.consultant.check(command) if what == "check" else self.consultant.size(command)
            if what == "size" and check is not None and verdict.steps:
                told = estimate(_flat(check.config), verdict.steps, self._past())
        except OSError as error:
            verdict = Verdict((f"{self._draft} cannot be written ({error.strerror})",))
        take = partial(self._take, what, question, verdict, told)
        with suppress(RuntimeError):  # the app has ended
            self.screen.call_later(take)

    def _take(self, what: str, question: Question, verdict: Verdict, told: Estimate | None) -> None:
        self._busy.discard(what)
        if question != self._wanted:  # the form has changed meanwhile
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

    def _drafted(self, question: Question) -> Command:
        import yaml

        self._draft.parent.mkdir(parents=True, exist_ok=True)
        replace_text(self._draft, yaml.safe_dump(question.experiment, sort_keys=False, allow_unicode=True))
        return Command(str(self._draft))

    def _past(self) -> list[PastRun]:
        return past_runs(self.lab) if Path(self.lab.path).is_dir() else []


def _flat(config: Mapping[str, Any]) -> Mapping[str, Any]:
    from rnnlab.config.experiment import flatten

    return flatten(dict(config))
