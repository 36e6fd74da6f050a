"""A follower of a real lab."""

import time

import pytest

from rnnlab.dashboard.feed.follower import Follower


@pytest.fixture
def follow(lab):
    """Start a follower of the lab."""
    followers = []

    def start(**options):
        follower = Follower(lab, 0.05, **options)
        followers.append(follower)
        follower.start()
        return follower

    yield start
    for follower in followers:
        follower.stop()


@pytest.fixture(scope="session")
def until():
    """Wait for a condition and return what it gave."""

    def wait(condition, seconds=20.0):
        deadline = time.monotonic() + seconds
        while not (outcome := condition()):
            assert time.monotonic() < deadline, f"not within {seconds} s"
            time.sleep(0.01)
        return outcome

    return wait
