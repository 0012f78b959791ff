"""``channelome run MODEL``: a cell or a network by name or from a file, a summary, and records and pictures in files."""

import math
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..memory import available, shown
from ..registry.words import printable
from .completion import names
from .output import Failure, as_json, picture, print_json, say, table, writable

if TYPE_CHECKING:
    from ..results import Activity, Traces

_FILE = click.Path(dir_okay=False, path_type=Path)
_LESS = "Ask for fewer neurons or records, or record every so many steps, --every 100."


@click.command()
@click.argument("model", shell_complete=names("cell", "network"))
@click.option("--duration", default="100 ms", show_default=True)
@click.option("--dt", default="0.025 ms", show_default=True, help="Step of integration.")
@click.option("--solver", default="staggered", show_default=True, shell_complete=names("solver"))
@click.option(
    "--stimulus",
    multiple=True,
    help="Constant current: '10 uA/cm^2', or '0.2 nA' where the cell has an area; of a reconstructed cell PLACE='0.5 nA', of a network "
    "POPULATION='0.2 nA' or POPULATION.PLACE='0.5 nA', repeatable.",
)
@click.option(
    "--record", multiple=True, help="V, INa.m, INa.current, ...; of a reconstructed cell soma.V; of a network cells.V, exc.g; repeatable. [default: V of a cell]"
)  # fmt: skip
@click.option("--every", default=1, show_default=True, help="Record every so many steps.")
@click.option("--size", type=click.IntRange(min=1), help="Number of neurons, if not the cell's own.")
@click.option("--seed", type=click.IntRange(min=0), help="Of a network's connections, if not its own.")
@click.option(
    "--set", "changes", multiple=True, metavar="NAME=VALUE", help="Another value: INa.g_max='100 mS/cm^2'; repeatable."
)
@click.option(
    "--estimate", is_flag=True, help="Run with half the step too, and say what moves and what that says of the error."
)
@click.option("--accuracy", help="Suggest a step for it: '0.01 ms' of spikes, '0.1 mV' of V. Estimates.")
@click.option("--out", type=_FILE, help="Save the run: FILE.npz or FILE.nc.")
@click.option("--plot", type=_FILE, help="Draw it: FILE.png. Of a cell the records, of a network the spikes.")
@as_json
def run(
    model: str,
    duration: str,
    dt: str,
    solver: str,
    stimulus: tuple[str, ...],
    record: tuple[str, ...],
    every: int,
    size: int | None,
    seed: int | None,
    changes: tuple[str, ...],
    estimate: bool,
    accuracy: str | None,
    out: Path | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Run MODEL, the name of a cell or network or a TOML or JSON file, and say what it did."""
    _check_out(out)
    picture(plot)
    from ..engine.simulation import simulate
    from ..models import cell, network
    from ..models.extent import MAX_NEURONS
    from ..registry import registry
    from ..registry.provenance import read_model
    from .asked import into_cell, into_network, recorded_of_cell, width_of_cell, width_of_network

    if size is not None and size > MAX_NEURONS:
        raise Failure(f"--size is at most {MAX_NEURONS:,}; a script goes further: channelome.cell(..., size={size}).")
    is_network = read_model(registry, model).table.get("kind") == "Network"
    if (size if is_network else seed) is not None:
        raise Failure("--size is for cells: populations have theirs." if is_network else "--seed is for networks.")
    values = dict(_pair("--set", "INa.g_max='100 mS/cm^2'", change) for change in changes)
    if is_network:
        built = network(model, **({} if seed is None else {"seed": seed}), **values)
        given: Any = into_network([_pair("--stimulus", "cells='0.2 nA'", text) for text in stimulus])
        recorded = list(record)
        _check_memory(sum(width_of_network(built, name) for name in dict.fromkeys(recorded)), duration, dt, every)
    else:
        built = cell(model, size=size, **values)
        given = into_cell(built, stimulus)
        recorded = recorded_of_cell(built, record)
        _check_memory(width_of_cell(built, recorded), duration, dt, every)
    with _in_memory():
        ran: Any = simulate(built, duration, dt=dt, solver=solver, stimulus=given, record=recorded, every=every)
        error = _estimated(estimate, accuracy, built, duration, dt=dt, solver=solver, stimulus=given)
    if out is not None:
        ran.save(out)
    if plot is not None:
        figure = ran.plot_raster() if is_network else ran.plot(*[name for name in recorded if name != "spikes"])
        figure.savefig(plot, dpi=150)
    written = [str(path) for path in (out, plot) if path is not None]
    facts = _facts(ran) | (_network_facts(ran) if is_network else _cell_facts(ran))
    if as_json:
        estimates = {} if error is None else {"estimate": error.facts()}
        print_json({"model": model, "solver": solver, **facts, **estimates, "files": written})
        return
    say(_summary(printable(model), facts) + ("" if error is None else f"\n\n{error!r}"))
    for path in written:
        say(f"wrote {printable(path)}")


def _estimated(estimate: bool, accuracy: str | None, built: Any, duration: str, **options: Any) -> Any:
    """The estimate of the error, where one is asked for; None elsewhere."""
    if not estimate and accuracy is None:
        return None
    from ..instruments import estimate_error

    return estimate_error(built, duration, accuracy=accuracy, **options)


def _check_out(out: Path | None) -> None:
    """Stop before the work is done if the run cannot be kept in this file."""
    writable(out)
    if out is None:
        return
    if out.suffix not in (".npz", ".nc"):
        raise Failure(f"{out}: runs are kept in .npz or .nc files, not '{out.suffix}'. Name it {out.stem}.npz.")
    missing = [name for name in ("xarray", "h5netcdf", "h5py") if out.suffix == ".nc" and find_spec(name) is None]
    if missing:
        raise Failure(f'.nc files need {missing[0]}: pip install "channelome[xarray]", or name it {out.stem}.npz.')


def _check_memory(values: int, duration: str, dt: str, every: int) -> None:
    """Stop before the work is done if this machine's memory cannot hold so many values of each sample."""
    import jax

    from ..engine.request import whole_steps

    _, count = whole_steps(duration, dt, every)
    needed = (count + 1) * values * (8 if jax.config.read("jax_enable_x64") else 4)
    if needed > available():
        raise Failure(f"the records would take {shown(needed)}, and {shown(available())} are free. {_LESS}")


@contextmanager
def _in_memory() -> Generator[None, None, None]:
    """Let what no memory holds end with a line."""
    try:
        yield
    except (MemoryError, OverflowError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise Failure(f"the run does not fit into memory. {_LESS}") from error


def _pair(option: str, example: str, text: str) -> tuple[str, str]:
    name, equals, value = text.rpartition("=") if option == "--stimulus" else text.partition("=")
    if not equals:
        raise Failure(f"{option} takes NAME=VALUE here, such as {example}, not '{text}'.")
    return name.strip(), value.strip()


def _facts(ran: "Traces | Activity") -> dict[str, Any]:
    records = {name: {"unit": ran.units[name], **_range(ran[name])} for name in ran.data if name != "spikes"}
    return {"duration_ms": float(ran.t[-1]), "samples": len(ran.t), "records": records}


def _cell_facts(ran: "Traces") -> dict[str, Any]:
    spikes = ran.spikes
    assert spikes is not None  # "spikes" is always recorded here
    return {
        "neurons": math.prod(spikes.size),
        "spikes": {"count": len(spikes), "times_ms": spikes.times.tolist(), "neurons": spikes.neurons.tolist()},
    }


def _network_facts(ran: "Activity") -> dict[str, Any]:
    """Of populations and groups; the whole is that of populations, since groups are parts of them."""

    def one(name: str) -> dict[str, Any]:
        trains, cv = ran.spikes[name], ran.cv(name)
        n = math.prod(trains.size)
        known = cv[cv == cv]
        rate = float(ran.rates(name).mean()) if n else 0.0
        return {"neurons": n, "spikes": len(trains), "rate_Hz": rate, "cv": float(known.mean()) if known.size else None}

    parts = {name: one(name) for name in ran.spikes}
    whole = [part for name, part in parts.items() if f"group {name}" not in ran.provenance]
    return {
        "neurons": sum(part["neurons"] for part in whole),
        "spikes": {"count": sum(part["spikes"] for part in whole)},
        "populations": parts,
    }


def _range(values: Any) -> dict[str, float]:
    return {"min": float(values.min()), "max": float(values.max()), "mean": float(values.mean())}


def _summary(model: str, facts: dict[str, Any]) -> str:
    neurons, count, length = facts["neurons"], facts["spikes"]["count"], facts["duration_ms"]
    rate = 1e3 * count / (neurons * length)
    plural = "neuron" if neurons == 1 else "neurons"
    parts = [f"{model}: {neurons} {plural}, {length:g} ms, {count} spike{'' if count == 1 else 's'}, {rate:.3g} Hz"]
    populations = [
        (name, str(p["neurons"]), str(p["spikes"]), f"{p['rate_Hz']:.3g}", "" if p["cv"] is None else f"{p['cv']:.3g}")
        for name, p in facts.get("populations", {}).items()
    ]
    records = [
        (name, "" if r["unit"] == "1" else r["unit"], *(f"{r[key]:.4g}" for key in ("min", "max", "mean")))
        for name, r in facts["records"].items()
    ]
    if populations:
        parts.append(table(("POPULATION", "NEURONS", "SPIKES", "RATE/Hz", "CV"), populations))
    if records:
        parts.append(table(("RECORD", "UNIT", "MIN", "MAX", "MEAN"), records))
    return "\n\n".join(parts)
