"""Distributions made for a test: real dist-info folders with entry points, beside packages that may be broken."""

from pathlib import Path
from textwrap import dedent

HEADER = 'schema = 1\napi = "{api}"\nfamily = "{family}"\ntitle = "A test"\nlicense = "MIT"\n'
SODIUM = dedent("""
    from channelome.authoring import Array, Conductance, Ohmic, Rates, exp, param, rates

    class INa_{family}(Ohmic, ion="na"):
        \"\"\"Sodium current of a test.\"\"\"

        g_max: Conductance = param(1.0, source="our choice")

        def m(self, V: Array) -> Rates:
            return rates(alpha=exp(V / 20), beta=exp(-V / 20))

        def conductance(self, m: Array) -> Array:
            return self.g_max * m
""")


def channel_table(name: str, module: str, more: str = "") -> str:
    """A manifest's table of one channel."""
    plain = name.partition("@")[0]
    return (
        f'[channel."{name}"]\nobject = "{module}:{plain}"\nsummary = "A current."\nkind = "Ohmic"\nion = "na"\n{more}\n'
    )


def make_pack(
    site: Path,
    name: str,
    family: str,
    *,
    api: str = "1.0",
    manifest: str | None = None,
    code: str = SODIUM,
    plugin: str = "",
    tables: str | None = None,
) -> str:
    """Write a distribution `name` with one family into `site`, as if installed there; returns its package's name."""
    package = name.replace("-", "_")
    folder = site / package
    folder.mkdir()
    (folder / "__init__.py").write_text(code.replace("{family}", family))
    body = HEADER.format(api=api, family=family) + (
        channel_table(f"INa_{family}", package) if tables is None else tables
    )
    if manifest != "":
        (folder / "pack.toml").write_text(body if manifest is None else manifest)
    info = site / f"{package}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    points = f"[channelome.packs]\n{family} = {package}:pack.toml\n"
    (info / "entry_points.txt").write_text(points + (f"[channelome.plugins]\n{name} = {plugin}\n" if plugin else ""))
    return package
