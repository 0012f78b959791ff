"""``channelome env``: versions, devices and packs, as a bug report needs them."""

import platform
from typing import Any

import click

from ..registry.words import printable
from .output import as_json, print_json, say

_LIBRARIES = ("channelome", "jax", "jaxlib", "numpy", "brainunit")
_CPU_FEATURES = ("AVX2", "FMA3", "AVX512F", "ASIMD", "SVE")


@click.command()
@as_json
def env(as_json: bool) -> None:
    """Versions, devices and installed packs."""
    found = _environment()
    if as_json:
        print_json(found)
        return
    for what, value in found.items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} ({distribution})" for name, distribution in value.items()) or "none"
        elif isinstance(value, list):
            value = ", ".join(value) or "none"
        say(f"{printable(what):<14}{printable(value)}")


def _environment() -> dict[str, Any]:
    import importlib_metadata
    import jax

    from ..registry import hooks, registry

    def version(name: str) -> str:
        try:
            return importlib_metadata.version(name)
        except importlib_metadata.PackageNotFoundError:
            return "not installed"

    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: version(name) for name in _LIBRARIES},
        "backend": jax.default_backend(),
        "devices": [str(device) for device in jax.devices()],
        "x64": bool(jax.config.read("jax_enable_x64")),
        "cpu features": _cpu_features(),
        "packs": {manifest.family: manifest.distribution for manifest in registry.manifests if manifest.family},
        **hooks.environment(),
    }


def _cpu_features() -> list[str]:
    """Those that matter to speed, of what NumPy found out of the processor."""
    import numpy as np

    core: Any = getattr(np, "_core", None)
    known = getattr(getattr(core, "_multiarray_umath", None), "__cpu_features__", {})
    return [name for name in _CPU_FEATURES if known.get(name)]
