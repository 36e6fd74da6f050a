#!/bin/sh
# Everything that needs a GPU, in one go: first whether the kernels are right, then how fast they are.
#
#     kernels/benchmarks/on_gpu.sh [SECONDS]     900 by default; a run that ends early keeps what it measured
#
# Needs a Python with torch, triton and pytest (PYTHON=python3 names another). Results are written under
# kernels/benchmarks/results/, and copied to $OUT if that names a folder.
set -u
start=$(date +%s)
total=${1:-900}
python=${PYTHON:-python3}
cd "$(dirname "$0")/../.." || exit 2
results=kernels/benchmarks/results
mkdir -p "$results"
export PYTHONPATH="kernels${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1

left() { echo $((total - $(date +%s) + start)); }

keep() {
  if [ -n "${OUT:-}" ]; then cp -r "$results" "$OUT/"; fi
}
trap keep EXIT

# A third of the time for the tests, which compile most kernels that the benchmark runs.
bound=$((total / 3))
parallel=
if "$python" -c 'import xdist' 2>/dev/null; then parallel="-n 8"; fi
# shellcheck disable=SC2086
timeout -k 10 "$bound" "$python" -m pytest -q -ra --maxfail=20 $parallel tests/kernels \
  --ignore=tests/kernels/benchmarks --ignore=tests/kernels/test_resources.py --ignore=tests/kernels/test_interpreter.py \
  >"$results/tests.log" 2>&1
tests=$?
tail -n 40 "$results/tests.log"
echo "tests: exit code $tests after $(($(date +%s) - start)) s (124: not done in $bound s)"
keep

quick=$(left)
if [ "$quick" -gt 180 ]; then quick=180; fi
timeout -k 10 "$(left)" "$python" kernels/benchmarks/bench_lstm.py --quick --budget "$quick"
bench=$?
keep

full=$(($(left) - 15))
if [ "$full" -gt 60 ]; then
  timeout -k 10 "$(left)" "$python" kernels/benchmarks/bench_lstm.py --full --budget "$full" || bench=$?
else
  echo "the full benchmark is left out: $full s are left"
fi
# shellcheck disable=SC2012
newest=$(ls -t "$results"/*.json 2>/dev/null | head -n 1)
if [ -n "$newest" ]; then
  "$python" kernels/benchmarks/bench_lstm.py --table "$newest" >"${newest%.json}.md" && cat "${newest%.json}.md"
fi
if [ "$tests" -ne 0 ]; then exit "$tests"; fi
exit "$bench"
