"""A plugin folder of its own: a run so small that it takes no time."""
