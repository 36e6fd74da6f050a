"""Calling lifecycle hooks one by one, so that a plugin that fails takes only itself down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pluggy

OnError = Callable[[str, Exception], None]
"""Told the plugin's key and what it raised."""


class LifecycleHooks:
    """The lifecycle hooks of every plugin, called in installed order (tryfirst and trylast are heeded)."""

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self._manager = manager

    def __call__(self, hook_name: str, on_error: OnError, /, **arguments: Any) -> None:
        """Call the hook of each plugin that has it.

        Args:
            hook_name: its full name, for example "rnnlab_run_start".
            on_error: called with the plugin's key and the exception for each hook that raises; the
                others still run.
            arguments: what the hook specification names; a plugin takes those it wants.
        """
        hooks = getattr(self._manager.hook, hook_name).get_hookimpls()
        for hook in sorted(hooks, key=lambda each: each.trylast - each.tryfirst):
            try:
                hook.function(*(arguments[name] for name in hook.argnames))
            except Exception as error:
                on_error(hook.plugin_name, error)
