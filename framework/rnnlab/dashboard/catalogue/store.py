"""Getting the catalogue: the cached one at once, a new one from another process when anything has changed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rnnlab.dashboard.catalogue.catalogue import Catalogue
from rnnlab.dashboard.catalogue.installation import Installation, unchanged
from rnnlab.lab.cache import cache_folder
from rnnlab.lab.run import replace_text

SECONDS = 120.0
"""How long the describing process may take before it is given up."""

OnChange = Callable[[Catalogue], None]


class CatalogueStore:
    """The catalogue of one choice of plugins, on disk and refreshed in the background."""

    def __init__(self, installation: Installation, cache: Path | None = None) -> None:
        """
        Args:
            installation: which plugins.
            cache: the folder the catalogue is kept in, the user's cache by default.
        """
        self.installation = installation
        self.path = (cache or cache_folder()) / f"catalogue-{installation.key}.json"
        self._refreshing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None

    def load(self, on_change: OnChange | None = None) -> Catalogue:
        """The catalogue known so far, in milliseconds: cached, or out of date, or empty.

        Args:
            on_change: if what is known is not fresh, a refresh begins and gives the results to this.
        """
        found = self.cached()
        if on_change and not found.fresh:
            self.refresh(on_change, found)
        return found

    def cached(self) -> Catalogue:
        """What is on disk, with `fresh` telling whether it is still true; empty if there is nothing."""
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            fresh = kept["fingerprint"] == self.installation.fingerprint() and unchanged(kept["files"])
            return Catalogue.from_dict(kept, fresh)
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
        ):  # none, torn, or of another version
            return Catalogue()

    def refresh(self, on_change: OnChange, known: Catalogue | None = None) -> threading.Thread:
        """Make the catalogue anew in a thread; a refresh under way is not begun twice.

        `on_change` is called from that thread: with a catalogue that is not `complete`, then with the one
        that is; or, if that fails, with the last one known, its `error` telling why.
        """
        if self._thread is not None and self._thread.is_alive():
            return self._thread
        arguments = (on_change, known or Catalogue())
        self._thread = threading.Thread(target=self._refresh, args=arguments, name="catalogue", daemon=True)
        self._thread.start()
        return self._thread

    def close(self) -> None:
        """End a refresh under way."""
        if self._process is not None:
            self._process.kill()

    def _refresh(self, on_change: OnChange, known: Catalogue) -> None:
        fingerprint = self.installation.fingerprint()  # before: what changes meanwhile makes it stale again
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
            try:
                self._process = process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "rnnlab.dashboard.catalogue"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    encoding="utf-8",
                    env=self.installation.environment(),
                    start_new_session=True,
                )
            except OSError as error:
                on_change(replace(known, error=f"the plugins could not be looked at: {error}"))
                return
            timer = threading.Timer(SECONDS, process.kill)
            timer.start()
            with process:
                for line in process.stdout or ():
                    known = self._take(json.loads(line), fingerprint)
                    on_change(known)
            timer.cancel()
            if not known.complete or process.returncode:
                log.seek(0)
                said = [line for line in log.read().splitlines() if line.strip()][-1:]
                why = said[0].strip() if said else f"it ended with code {process.returncode}"
                on_change(replace(known, error=f"the plugins could not be looked at: {why}"))

    def _take(self, made: dict[str, Any], fingerprint: str) -> Catalogue:
        if made["complete"]:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                replace_text(self.path, json.dumps(made | {"fingerprint": fingerprint}))
            except OSError:
                pass  # no place to keep it: it is made again next time
        return Catalogue.from_dict(made, fresh=True)
