"""``channelome plot NAME``: a channel's curves and currents, as a picture."""

from pathlib import Path

import click

from ..errors import ModelError
from .completion import names
from .output import picture


@click.command()
@click.argument("name", shell_complete=names("channel"))
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="The file; NAME.png if left out.")
@click.option("--celsius", help="Temperature: 36, '36 °C' or '309.15 K'; that of the measurement if left out.")
@click.option("--hold", default="-90 mV", show_default=True, help="Holding potential of the voltage clamp.")
def plot(name: str, out: Path | None, celsius: str | None, hold: str) -> None:
    """Steady states, time constants and voltage-clamp currents of the channel NAME."""
    from ..registry import registry

    entry = registry.find(name)
    if entry.kind != "channel":
        other = f" Run it: `channelome run {name} --plot FILE.png`." if entry.kind == "cell" else ""
        raise ModelError(f"'{name}' is a {entry.kind}; only channels have curves to plot.{other}")
    out = out or Path(f"{entry.name}.png")
    picture(out)

    from ..instruments.portrait import portrait

    portrait(registry.load(name, "channel"), celsius=celsius, hold=hold, title=entry.name).savefig(out, dpi=150)
    click.echo(f"wrote {out}")
