"""Launching: run folders are created here, executors start workers, and stopping is asked for."""
