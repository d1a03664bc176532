"""What must be installed, compiled and built before anything can be measured."""

import os
import subprocess
import sys

from . import systems

TOOLS = {"rtpload": ["-lsrtp2"], "floor_relay": ["-lcrypto"], "httpload": []}


def packages():
    _must([f"{systems.REPOSITORY}/scripts/install-packages.sh", "bench"])


def tools():
    os.makedirs(systems.TARGET, exist_ok=True)
    for name, libraries in TOOLS.items():
        source = f"{systems.REPOSITORY}/bench/tools/{name}.c"
        _must(["gcc", "-O2", "-Wall", "-Wextra", "-o", f"{systems.TARGET}/{name}", source, *libraries])


def tandem():
    """The path of the program under test, freshly built."""
    _must(["cargo", "build", "--release", "--locked", "--package", "tandem"])
    return os.path.join(os.environ.get("CARGO_TARGET_DIR", f"{systems.REPOSITORY}/target"), "release", "tandem")


def _must(command):
    try:
        subprocess.run(command, cwd=systems.REPOSITORY, check=True)
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        sys.exit(f"bench: {error}")
