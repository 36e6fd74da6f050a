"""What takes its time, in threads that do not keep the dashboard from ending, as Textual's workers do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from rnnlab.errors import in_words

if TYPE_CHECKING:
    from rnnlab.dashboard.app import Dashboard
    from rnnlab.dashboard.form.launch import Outcome


def in_thread(work: Callable[[], object]) -> None:
    """Call `work` in a thread of its own."""
    threading.Thread(target=work, name="rnnlab-action", daemon=True).start()


def tell(app: Dashboard, said: Callable[[], object]) -> None:
    """From such a thread: call `said` in the app, unless that has ended."""
    with suppress(RuntimeError):
        app.call_later(said)


def do(app: Dashboard, action: Callable[[], Outcome], done: Callable[[Outcome], None] | None) -> None:
    """Call `action` in a thread; then look at the lab, show the error if there is one, and call `done`."""
    from rnnlab.dashboard.form.launch import Outcome

    def finish(outcome: Outcome) -> None:
        app.follower.refresh()
        if outcome.error:
            app.notify(outcome.error, severity="error", timeout=12, markup=False)
        if done is not None:
            done(outcome)

    def work() -> None:
        try:
            outcome = action()
        except Exception as error:
            outcome = Outcome(error=in_words(error))
        tell(app, lambda: finish(outcome))

    in_thread(work)
