"""Imports modules in a process of its own and notes what that does. A script: `checks.pack` runs it.

python import_probe.py OUT.json MODULE...
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import jax
from jax._src import xla_bridge

import channelome.authoring  # noqa: F401  what every pack imports is not its own cost
from channelome.registry.words import described

_WATCHED = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn")


def main(out: Path, modules: list[str]) -> None:
    """Import `modules` and write to `out` what happened."""
    events: list[str] = []

    def watch(event: str, arguments: Any) -> None:
        if event in _WATCHED:
            events.append(f"{event} {arguments!r:.80}")

    settings, environment = dict(jax.config.values), dict(os.environ)
    sys.addaudithook(watch)
    start, error = time.process_time(), ""
    try:
        for module in modules:
            importlib.import_module(module)
    except BaseException as cause:
        error = described(cause)
    found = {
        "error": error,
        "seconds": time.process_time() - start,
        "events": events,
        "backends": sorted(xla_bridge._backends),
        "settings": sorted(name for name, value in jax.config.values.items() if settings.get(name) != value),
        "environment": sorted(name for name, value in os.environ.items() if environment.get(name) != value),
    }
    out.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
