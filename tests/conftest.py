"""Settings that hold for every test and for the processes that tests start."""

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

# Before torch is imported anywhere: small networks are fastest on one thread, and tests share few processors.
os.environ["OMP_NUM_THREADS"] = "1"

# The same backend each time, whatever the machine is doing; tests of measuring take it away again.
os.environ.setdefault("RNNLAB_AUTO", "rank")

# Before a kernel is decorated, which is when Triton decides where it runs: without a GPU, in its interpreter.
if not Path("/dev/kfd").exists() and not any(Path("/dev").glob("nvidia[0-9]*")):
    os.environ.setdefault("TRITON_INTERPRET", "1")

# What reads its packages from a local folder, and builds in the environment it is called from.
OFFLINE = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_DEPS": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # the name of the option --no-build-isolation is --build-isolation
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}


@dataclass(frozen=True)
class Environment:
    """A new virtual environment, in which everything that can be imported here can be too.

    Attributes:
        folder: where it is.
        variables: the environment variables of what runs in it.
    """

    folder: Path
    variables: dict[str, str]

    def run(self, command: str, cwd: Path, **variables: str) -> str:
        """Run a line of bash, which must succeed; what it printed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=cwd,
            env=self.variables | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(autouse=True)
def own_variables() -> Iterator[None]:
    """A command run in the test process hands its plugins on by the environment; no test leaves them."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """What somebody who has installed rnnlab installs a plugin into: without network."""
    folder = tmp_path_factory.mktemp("environment")
    builder = venv.EnvBuilder(symlinks=True)
    builder.create(folder)
    places = {"base": str(folder), "platbase": str(folder)}
    here = [path for path in sys.path if path.endswith("site-packages")]
    lines = "".join(f"import site; site.addsitedir({path!r})\n" for path in here)
    Path(sysconfig.get_path("purelib", "venv", places), "parent.pth").write_text(lines)
    python = folder / "bin" / "python"
    for name, module in (("rnnlab", "rnnlab.cli.main"), ("pip", "pip"), ("pytest", "pytest")):
        (folder / "bin" / name).write_text(f'#!/bin/sh\nexec "{python}" -m {module} "$@"\n')
        (folder / "bin" / name).chmod(0o755)
    own = {
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "RNNLAB_RUNS_DIR": str(folder / "runs"),
    }
    return Environment(folder, os.environ | OFFLINE | own)
