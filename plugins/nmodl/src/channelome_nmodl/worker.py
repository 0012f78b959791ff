# pyright: basic
# (NEURON has no types)
"""NEURON under voltage clamp, in a process of its own: it knows nothing of channelome, and needs nothing but NEURON.

    python worker.py < jobs.json > answers.json

A job names a compiled library, a mechanism in it and what surrounds it. The mechanism stands alone in a compartment of so large
a capacitance that V stays where it is put. Where its states are solved by a method that is exact while V is held, NEURON's own
steps are taken; else its variable-step solver, at tight tolerances.
"""

import json
import sys
from typing import Any


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """Currents in uA/cm^2 after jumps from `hold`: a row for each of `pulses`, a column for each of `times`."""
    import neuron  # pyright: ignore[reportMissingImports]
    from neuron import h  # pyright: ignore[reportMissingImports]

    if job["library"] not in _loaded:
        h.nrn_load_dll(job["library"])
        _loaded.add(job["library"])
    name = job["mechanism"]
    section = h.Section(name="patch")
    section.L = section.diam = 10.0
    section.cm = 1e30
    h.celsius = job["celsius"]
    section.insert(name)
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
        cvode.atol(1e-10)
        cvode.rtol(1e-9)
    rows = [_pulse(h, cvode, section, job, V) for V in job["pulses"]]
    start = []
    for V in job["rest"]:
        h.finitialize(V)
        start.append(_current(h, section, job))
    return {"rows": rows, "rest": start, "version": neuron.__version__}


_loaded: set[str] = set()


def _current(h: Any, section: Any, job: dict[str, Any]) -> float:
    h.fcurrent()
    total = 0.0
    for variable in job["currents"]:
        total += getattr(section(0.5), variable)
    return 1e3 * total


def _pulse(h: Any, cvode: Any, section: Any, job: dict[str, Any], V: float) -> list[float]:
    h.dt = 0.025
    h.finitialize(job["hold"])
    found, t = [], 0.0
    section(0.5).v = V
    if not job["exact"]:
        cvode.re_init()
    for time in job["times"]:
        if time > t:
            if job["exact"]:
                steps = job.get("steps", 1)
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
