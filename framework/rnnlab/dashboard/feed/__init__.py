"""What the dashboard shows: journals followed in a thread, given out as immutable snapshots."""
