"""``channelome run MODEL``: a cell by name or from a TOML file, a summary, and traces and pictures in files."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .output import Failure, as_json, print_json, table, use_agg, writable

if TYPE_CHECKING:
    from jax import Array

    from ..traces import Traces

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("model")
@click.option("--duration", default="100 ms", show_default=True)
@click.option("--dt", default="0.025 ms", show_default=True, help="Step of integration.")
@click.option("--solver", default="staggered", show_default=True)
@click.option("--stimulus", help="Constant current: '10 uA/cm^2', or '0.2 nA' where the cell has an area.")
@click.option(
    "--record", multiple=True, default=["V"], show_default=True, help="V, INa.m, INa.current, ca.C_in, ...; repeatable."
)
@click.option("--every", default=1, show_default=True, help="Record every so many steps.")
@click.option("--size", type=click.IntRange(min=1), help="Number of neurons, if not the model's own.")
@click.option(
    "--set", "changes", multiple=True, metavar="NAME=VALUE", help="Another value: INa.g_max='100 mS/cm^2'; repeatable."
)
@click.option("--out", type=_FILE, help="Save the traces: FILE.npz or FILE.nc.")
@click.option("--plot", type=_FILE, help="Draw the traces: FILE.png.")
@as_json
def run(
    model: str,
    duration: str,
    dt: str,
    solver: str,
    stimulus: str | None,
    record: tuple[str, ...],
    every: int,
    size: int | None,
    changes: tuple[str, ...],
    out: Path | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Run MODEL, a cell's name or a TOML file, and say what it did."""
    writable(out)
    writable(plot)
    if plot is not None:
        use_agg()

    from ..simulation import simulate
    from ..spec import cell

    built = cell(model, size=size, **dict(_change(change) for change in changes))
    names = list(dict.fromkeys([*record, "spikes"]))
    traces = simulate(built, duration, dt=dt, solver=solver, stimulus=stimulus, record=names, every=every)
    if out is not None:
        traces.save(out)
    if plot is not None:
        traces.plot(*[name for name in names if name != "spikes"]).savefig(plot, dpi=150)
    written = [str(path) for path in (out, plot) if path is not None]
    if as_json:
        print_json({"model": model, "solver": solver, **_facts(traces), "files": written})
        return
    click.echo(_summary(model, traces))
    for path in written:
        click.echo(f"wrote {path}")


def _change(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Failure(f"--set takes NAME=VALUE, such as INa.g_max='100 mS/cm^2', not '{text}'.")
    return name.strip(), value.strip()


def _facts(traces: "Traces") -> dict[str, Any]:
    spikes = traces.spikes
    assert spikes is not None  # "spikes" is always recorded here
    return {
        "duration_ms": float(traces.t[-1]),
        "samples": len(traces.t),
        "neurons": math.prod(spikes.size),
        "spikes": {"count": len(spikes), "times_ms": spikes.times.tolist(), "neurons": spikes.neurons.tolist()},
        "records": {name: {"unit": traces.units[name], **_range(traces[name])} for name in traces if name != "spikes"},
    }


def _range(values: "Array") -> dict[str, float]:
    return {"min": float(values.min()), "max": float(values.max()), "mean": float(values.mean())}


def _summary(model: str, traces: "Traces") -> str:
    facts = _facts(traces)
    neurons, count, length = facts["neurons"], facts["spikes"]["count"], facts["duration_ms"]
    rate = 1e3 * count / (neurons * length)
    plural = "neuron" if neurons == 1 else "neurons"
    head = f"{model}: {neurons} {plural}, {length:g} ms, {count} spike{'' if count == 1 else 's'}, {rate:.3g} Hz"
    rows = [
        (name, "" if r["unit"] == "1" else r["unit"], *(f"{r[key]:.4g}" for key in ("min", "max", "mean")))
        for name, r in facts["records"].items()
    ]
    return f"{head}\n\n{table(('RECORD', 'UNIT', 'MIN', 'MAX', 'MEAN'), rows)}"
