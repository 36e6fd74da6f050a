"""The benchmark is a script with modules beside it: they are imported as it imports them."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "kernels"), str(ROOT / "kernels" / "benchmarks")]
