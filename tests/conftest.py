"""Settings that hold for every test and for the processes that tests start."""

import os

# Before torch is imported anywhere: small networks are fastest on one thread, and tests share few processors.
os.environ["OMP_NUM_THREADS"] = "1"
