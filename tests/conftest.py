"""Settings that hold for every test and for the processes that tests start."""

import os
from pathlib import Path

# Before torch is imported anywhere: small networks are fastest on one thread, and tests share few processors.
os.environ["OMP_NUM_THREADS"] = "1"

# Before a kernel is decorated, which is when Triton decides where it runs: without a GPU, in its interpreter.
if not Path("/dev/kfd").exists() and not any(Path("/dev").glob("nvidia[0-9]*")):
    os.environ.setdefault("TRITON_INTERPRET", "1")
