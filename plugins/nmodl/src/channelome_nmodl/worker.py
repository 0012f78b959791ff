# pyright: basic
# (NEURON has no types)
"""NEURON under voltage clamp, in a process of its own: it knows nothing of channelome, and needs nothing but NEURON.

    python worker.py < jobs.json > answers.json

A job names a compiled library, a mechanism in it and what surrounds it. The mechanism stands alone in a compartment of so large
a capacitance that V stays where it is put. Where its states are solved by a method that is exact while V is held, NEURON's own
steps are taken; else its variable-step solver, at tight tolerances.
"""

import itertools
import json
import os
import sys
from typing import Any


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """What the job's kind asks for: ``"clamp"`` if it says none."""
    kinds = {"clamp": _clamped, "ion": _accumulated, "synapse": _received}
    return kinds[job.get("kind", "clamp")](job)


def _clamped(job: dict[str, Any]) -> dict[str, Any]:
    """Currents in uA/cm^2 after jumps from `hold`: a row for each of `pulses`, a column for each of `times`.

    Those of `courses` are at the end of each of their `levels`, which last `durations`. Under "kept" is what `variables` are where the
    currents are these.
    """
    h, version = _neuron_with(job)
    name = job["mechanism"]
    section = h.Section(name="patch")
    section.L, section.diam = 10.0, 3.7
    section.cm = 1e30
    h.celsius = job["celsius"]
    section.insert(name)
    _set_parameters(h, section(0.5), job)
    _without_tables(h, name)
    _surround(h, section, job)
    h.secondorder = 0
    cvode = h.CVode()
    cvode.active(not job["exact"])
    if not job["exact"]:
        cvode.atol(1e-12)
        cvode.rtol(1e-11)
        h.finitialize(job["hold"])
        _scale(cvode, section, job)
    if job.get("steps"):
        rows = [_apart(_limit, h, cvode, section, job, V) for V in job["pulses"]]
    else:
        rows = [_apart(_pulse, h, cvode, section, job, V) for V in job["pulses"]]
    start = [_apart(_rest, h, section, job, V) for V in job["rest"]]
    follow = _course_limit if job.get("steps") else _course
    courses = [
        [_apart(follow, h, cvode, section, job, levels, course["durations"]) for levels in course["levels"]]
        for course in job["courses"]
    ]
    now, kept = _parted(rows)
    parted = [_parted(course) for course in courses]
    return {
        "rows": now, "rest": start, "courses": [course for course, _ in parted], "version": version,
        "kept": {"rows": kept, "courses": [course for _, course in parted]},
    }  # fmt: skip


def _parted(table: Any) -> tuple[Any, Any]:
    """Currents, which come first in each place, and what else is there."""
    import numpy as np

    found = np.asarray(table)
    return found[..., 0].tolist(), found[..., 1:].tolist()


def _surround(h: Any, section: Any, job: dict[str, Any]) -> None:
    """Hold the concentrations and reversal potentials of ions where the job has them."""
    for species, values in job.get("ions", {}).items():
        if hasattr(section(0.5), f"e{species}"):
            h.ion_style(f"{species}_ion", 1, 1, 0, 0, 0, sec=section)
            for variable, value in values.items():
                if hasattr(section(0.5), variable):
                    setattr(section, variable, value)


def _accumulated(job: dict[str, Any]) -> dict[str, Any]:
    """What an ion's variables are under each of `currents` (mA/cm2, from a mechanism `driver`), at each of `times`, and at the start.

    Under "carried" are the currents of the mechanism itself then, if it has `carried`.
    """
    h, version = _neuron_with(job)
    section = h.Section(name="patch")
    section.L, section.diam, section.cm = 10.0, job["diam"], 1e30
    h.celsius = job["celsius"]
    section.insert(job["mechanism"])
    section.insert(job["driver"])
    _set_parameters(h, section(0.5), job)
    _without_tables(h, job["mechanism"])
    _surround(h, section, job)
    h.secondorder = 0
    cvode = h.CVode()
    cvode.active(job["way"] == "variable")
    cvode.atol(1e-12)
    cvode.rtol(1e-11)
    h.finitialize(-65.0)
    _scale(cvode, section, job)
    rows = []
    for current in job["currents"]:
        setattr(section, f"amp_{job['driver']}", current)
        rows.append(_under(h, cvode, section, job))
    carried, kept = _parted(rows)
    return {"rows": kept, "carried": carried, "version": version}


def _under(h: Any, cvode: Any, section: Any, job: dict[str, Any]) -> Any:
    """By NEURON's variable steps, or where it gives up by fixed ones."""
    if job["way"] == "exact":
        return _by_steps(h, section, job, None, 1)
    if job["way"] == "variable":
        try:
            return _by_variable_steps(h, cvode, section, job)
        except RuntimeError:
            cvode.active(False)
            job["way"] = "extrapolated"
    return _extrapolated([_by_steps(h, section, job, 0.1, n) for n in (1, 2, 4, 8, 16)])


def _by_variable_steps(h: Any, cvode: Any, section: Any, job: dict[str, Any]) -> list[list[float]]:
    h.finitialize(-65.0)
    found = [_current(h, section, job)]
    for time in job["times"]:
        cvode.solve(time)
        found.append(_current(h, section, job))
    return found


def _by_steps(h: Any, section: Any, job: dict[str, Any], longest: Any, n: int) -> list[list[float]]:
    """With one step from time to time, or as many as are needed for steps of `longest`, times `n`."""
    h.finitialize(-65.0)
    found, t = [_current(h, section, job)], 0.0
    for time in job["times"]:
        steps = 1 if longest is None else n * max(8, round((time - t) / longest + 0.5))
        h.dt = (time - t) / steps
        for _ in range(steps):
            h.fadvance()
        found.append(_current(h, section, job))
        t = time
    return found


def _extrapolated(tables: list[Any]) -> Any:
    """The limit of steps of no length, from those of a length halved each time: an error that is a power series in it."""
    import numpy as np

    columns = [np.asarray(table) for table in tables]
    for order in range(1, len(columns)):
        columns = [b + (b - a) / (2**order - 1) for a, b in itertools.pairwise(columns)]
    return columns[0].tolist()


def _scale(cvode: Any, section: Any, job: dict[str, Any]) -> None:
    """Let the solver's absolute tolerance be of the size that each state starts with, where that is small."""
    sizes: dict[str, float] = {}
    for name in job.get("states", ()):
        value, base = abs(_value(section(0.5), name)), name.partition("[")[0]
        if value > 0:
            sizes[base] = min(sizes.get(base, 1.0), value)
    for base, size in sizes.items():
        cvode.atolscale(base, size)


def _value(where: Any, name: str) -> float:
    """A variable of a segment, ``ca_mech[2]`` too."""
    base, _, place = name.partition("[")
    found = getattr(where, base)
    return found[int(place[:-1])] if place else found


def _received(job: dict[str, Any]) -> dict[str, Any]:
    """Currents in nA of a synapse that `spikes` reach, at each of `voltages` and `times`."""
    h, version = _neuron_with(job)
    section = h.Section(name="patch")
    section.L, section.diam, section.cm = 10.0, 10.0, 1e30
    h.celsius = job["celsius"]
    synapse = getattr(h, job["mechanism"])(section(0.5))
    _set_parameters(h, synapse, job)
    _without_tables(h, job["mechanism"])
    connection = h.NetCon(None, synapse)
    connection.weight[0] = job["weight"]
    connection.delay = 0.0
    h.secondorder = 0
    cvode = h.CVode()
    cvode.active(True)
    cvode.atol(1e-14)
    cvode.rtol(1e-10)
    rows = []
    for V in job["voltages"]:
        h.finitialize(V)
        for spike in job["spikes"]:
            connection.event(spike)
        found = []
        for time in job["times"]:
            cvode.solve(time)
            h.fcurrent()
            found.append(sum(getattr(synapse, name) for name in job["currents"]))
        rows.append(found)
    return {"rows": rows, "version": version}


_loaded: set[str] = set()


def _neuron_with(job: dict[str, Any]) -> tuple[Any, str]:
    """NEURON with the job's library, and its version."""
    import neuron  # pyright: ignore[reportMissingImports]

    if job["library"] not in _loaded:
        neuron.h.nrn_load_dll(job["library"])
        _loaded.add(job["library"])
    return neuron.h, neuron.__version__


def _without_tables(h: Any, mechanism: str) -> None:
    if hasattr(h, f"usetable_{mechanism}"):
        setattr(h, f"usetable_{mechanism}", 0)


def _set_parameters(h: Any, where: Any, job: dict[str, Any]) -> None:
    """Put in the defaults with all their digits, of which nocmodl keeps six."""
    for name, value in job.get("parameters", {}).items():
        for owner, full in ((where, f"{name}_{job['mechanism']}"), (where, name), (h, f"{name}_{job['mechanism']}")):
            if hasattr(owner, full):
                setattr(owner, full, value)
                break


def _apart(function: Any, *arguments: Any) -> Any:
    """What a function returns, in a process of its own where there is such a thing: nothing of one run is left for the next."""
    if not hasattr(os, "fork"):
        return function(*arguments)
    end, begin = os.pipe()
    child = os.fork()
    if not child:
        try:
            said = json.dumps(function(*arguments))
        except Exception as error:
            said = json.dumps({"error": f"{type(error).__name__}: {error}"})
        with os.fdopen(begin, "w") as out:
            out.write(said)
        os._exit(0)
    os.close(begin)
    with os.fdopen(end) as held:
        said = held.read()
    os.waitpid(child, 0)
    found = json.loads(said) if said else {"error": "NEURON ended"}
    if isinstance(found, dict):
        raise RuntimeError(found["error"])
    return found


def _rest(h: Any, section: Any, job: dict[str, Any], V: float) -> float:
    h.dt = 1e-9
    h.finitialize(V)
    return _current(h, section, job)[0]


def _current(h: Any, section: Any, job: dict[str, Any]) -> list[float]:
    """The current that `carries` name, in uA/cm^2, and what `variables` are then."""
    h.fcurrent()
    total = 0.0
    for variable in job.get("carries", ()):
        total += getattr(section(0.5), variable)
    return [1e3 * total, *(_value(section(0.5), name) for name in job.get("variables", ()))]


def _limit(h: Any, cvode: Any, section: Any, job: dict[str, Any], V: float) -> list[list[float]]:
    """As `_pulse`, of steps of no length."""
    tables = [_pulse(h, cvode, section, {**job, "steps": steps}, V) for steps in (20, 40, 80, 160, 320, 640)]
    return _extrapolated(tables)


def _course_limit(
    h: Any, cvode: Any, section: Any, job: dict[str, Any], levels: list[float], durations: list[float]
) -> list[list[float]]:
    """As `_course`, of steps of no length."""
    tables = [
        _course(h, cvode, section, {**job, "steps": steps}, levels, durations) for steps in (20, 40, 80, 160, 320)
    ]
    return _extrapolated(tables)


def _course(
    h: Any, cvode: Any, section: Any, job: dict[str, Any], levels: list[float], durations: list[float]
) -> list[list[float]]:
    """Currents at the end of each level that V jumps to, one after the other."""
    h.dt = 1e-9
    h.finitialize(job["hold"])
    found, t = [], 0.0
    for V, duration in zip(levels, durations, strict=True):
        section(0.5).v = V
        t += duration
        if job["exact"]:
            steps = int(job.get("steps") or 1)
            h.dt = duration / steps
            for _ in range(steps):
                h.fadvance()
        else:
            cvode.re_init()
            cvode.solve(t)
        found.append(_current(h, section, job))
    return found


def _pulse(h: Any, cvode: Any, section: Any, job: dict[str, Any], V: float) -> list[list[float]]:
    h.dt = 1e-9  # what INITIAL steps by hand is where it was
    h.finitialize(job["hold"])
    found, t = [], 0.0
    section(0.5).v = V
    if not job["exact"]:
        cvode.re_init()
    for time in job["times"]:
        if time > t:
            if job["exact"]:
                steps = int(job.get("steps") or 1)
                for _ in range(steps):
                    h.dt = (time - t) / steps
                    h.fadvance()
            else:
                cvode.solve(time)
        if abs(section(0.5).v - V) > 1e-6:
            raise RuntimeError(f"V moved from {V} to {section(0.5).v} mV")
        found.append(_current(h, section, job))
        t = time
    return found


def main() -> None:
    """Answer a list of jobs, one after the other; what fails says why."""
    out = []
    for job in json.load(sys.stdin):
        try:
            out.append(answer(job))
        except Exception as error:
            out.append({"error": f"{type(error).__name__}: {error}"})
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()
