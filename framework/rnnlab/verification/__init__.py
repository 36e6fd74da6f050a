"""Every cell on every backend against the loop that defines it, check by check."""
