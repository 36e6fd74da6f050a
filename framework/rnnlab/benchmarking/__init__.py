"""Backends side by side: each checked, then timed, in turns."""
