"""The dashboard's screens: one module and one style sheet each."""
