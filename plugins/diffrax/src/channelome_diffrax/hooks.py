"""What this plugin tells channelome beside its pack."""

from importlib.metadata import version

from channelome.registry.hooks import hookimpl


@hookimpl
def channelome_environment() -> dict[str, str]:
    """Versions of the libraries that integrate, for ``channelome env``."""
    return {library: version(library) for library in ("diffrax", "equinox")}
