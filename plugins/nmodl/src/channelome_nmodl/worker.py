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

    Those of `courses` are at the end of each of their `levels`, which last `durations`.
    """
    import neuron  # pyright: ignore[reportMissingImports]
    from neuron import h  # pyright: ignore[reportMissingImports]

    if job["library"] not in _loaded:
        h.nrn_load_dll(job["library"])
        _loaded.add(job["library"])
    name = job["mechanism"]
    section = h.Section(name="patch")
    section.L, section.diam = 10.0, 3.7
    section.cm = 1e30
    h.celsius = job["celsius"]
    section.insert(name)
    _set_parameters(h, section(0.5), job)
    if hasattr(h, f"usetable_{name}"):
        setattr(h, f"usetable_{name}", 0)
    for species, values in job["ions"].items():
        if hasattr(section(0.5), f"e{species}"):
            h.ion_style(f"{species}_ion", 1, 1, 0, 0, 0, sec=section)
            for variable, value in values.items():
                if hasattr(section(0.5), variable):
                    setattr(section, variable, value)
    h.secondorder = 0
    cvode = h.CVode()
    cvode.active(not job["exact"])
    if not job["exact"]:
        cvode.atol(1e-12)
        cvode.rtol(1e-11)
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
    return {"rows": rows, "rest": start, "courses": courses, "version": neuron.__version__}


def _accumulated(job: dict[str, Any]) -> dict[str, Any]:
    """What an ion's variables are under each of `currents` (mA/cm2, from a mechanism `driver`), at each of `times`, and at the start."""
    import neuron  # pyright: ignore[reportMissingImports]
    from neuron import h  # pyright: ignore[reportMissingImports]

    if job["library"] not in _loaded:
        h.nrn_load_dll(job["library"])
        _loaded.add(job["library"])
    section = h.Section(name="patch")
    section.L, section.diam, section.cm = 10.0, job["diam"], 1e30
    h.celsius = job["celsius"]
    section.insert(job["mechanism"])
    section.insert(job["driver"])
    _set_parameters(h, section(0.5), job)
    h.secondorder = 0
    cvode = h.CVode()
    cvode.active(job["way"] == "variable")
    cvode.atol(1e-12)
    cvode.rtol(1e-9)
    rows = []
    for current in job["currents"]:
        setattr(section, f"amp_{job['driver']}", current)
        if job["way"] == "variable":
            rows.append(_by_variable_steps(h, cvode, section, job))
        elif job["way"] == "exact":
            rows.append(_by_steps(h, section, job, None, 1))
        else:
            rows.append(_extrapolated([_by_steps(h, section, job, 0.1, n) for n in (1, 2, 4, 8, 16)]))
    return {"rows": rows, "version": neuron.__version__}


def _by_variable_steps(h: Any, cvode: Any, section: Any, job: dict[str, Any]) -> list[list[float]]:
    h.finitialize(-65.0)
    found = [_seen(h, section, job)]
    for time in job["times"]:
        cvode.solve(time)
        found.append(_seen(h, section, job))
    return found


def _by_steps(h: Any, section: Any, job: dict[str, Any], longest: Any, n: int) -> list[list[float]]:
    """With one step from time to time, or as many as are needed for steps of `longest`, times `n`."""
    h.finitialize(-65.0)
    found, t = [_seen(h, section, job)], 0.0
    for time in job["times"]:
        steps = 1 if longest is None else n * max(8, round((time - t) / longest + 0.5))
        h.dt = (time - t) / steps
        for _ in range(steps):
            h.fadvance()
        found.append(_seen(h, section, job))
        t = time
    return found


def _extrapolated(tables: list[Any]) -> Any:
    """The limit of steps of no length, from those of a length halved each time: an error that is a power series in it."""
    import numpy as np

    columns = [np.asarray(table) for table in tables]
    for order in range(1, len(columns)):
        columns = [b + (b - a) / (2**order - 1) for a, b in itertools.pairwise(columns)]
    return columns[0].tolist()


def _seen(h: Any, section: Any, job: dict[str, Any]) -> list[float]:
    h.fcurrent()
    return [getattr(section(0.5), name) for name in job["variables"]]


def _received(job: dict[str, Any]) -> dict[str, Any]:
    """Currents in nA of a synapse that `spikes` reach, at each of `voltages` and `times`."""
    import neuron  # pyright: ignore[reportMissingImports]
    from neuron import h  # pyright: ignore[reportMissingImports]

    if job["library"] not in _loaded:
        h.nrn_load_dll(job["library"])
        _loaded.add(job["library"])
    section = h.Section(name="patch")
    section.L, section.diam, section.cm = 10.0, 10.0, 1e30
    h.celsius = job["celsius"]
    synapse = getattr(h, job["mechanism"])(section(0.5))
    _set_parameters(h, synapse, job)
    if hasattr(h, f"usetable_{job['mechanism']}"):
        setattr(h, f"usetable_{job['mechanism']}", 0)
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
    return {"rows": rows, "version": neuron.__version__}


_loaded: set[str] = set()


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
    return _current(h, section, job)


def _current(h: Any, section: Any, job: dict[str, Any]) -> float:
    h.fcurrent()
    total = 0.0
    for variable in job["currents"]:
        total += getattr(section(0.5), variable)
    return 1e3 * total


def _limit(h: Any, cvode: Any, section: Any, job: dict[str, Any], V: float) -> list[float]:
    """As `_pulse`, of steps of no length."""
    tables = [_pulse(h, cvode, section, {**job, "steps": steps}, V) for steps in (20, 40, 80, 160, 320, 640)]
    return _extrapolated(tables)


def _course_limit(
    h: Any, cvode: Any, section: Any, job: dict[str, Any], levels: list[float], durations: list[float]
) -> list[float]:
    """As `_course`, of steps of no length."""
    tables = [
        _course(h, cvode, section, {**job, "steps": steps}, levels, durations) for steps in (20, 40, 80, 160, 320)
    ]
    return _extrapolated(tables)


def _course(
    h: Any, cvode: Any, section: Any, job: dict[str, Any], levels: list[float], durations: list[float]
) -> list[float]:
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


def _pulse(h: Any, cvode: Any, section: Any, job: dict[str, Any], V: float) -> list[float]:
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
