"""The dashboard: configure, launch, watch, stop and compare runs in the terminal."""
