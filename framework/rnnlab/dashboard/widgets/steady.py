"""A text that changes often among widgets that stay where they are."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class SteadyText(Static):
    """A text as wide as there is room, drawn anew only when it changes.

    A Static asks for a new layout of the whole screen at every update, this one only when its height changes.
    """

    def say(self, content: Content) -> None:
        """Show `content`."""
        shown = self.content
        if isinstance(shown, Content) and shown.is_same(content):
            return
        width, height = self.content_size
        needed = content.get_height(self.styles, width) if width else -1  # pyright: ignore[reportArgumentType]
        self.update(content, layout=needed != height)
