"""The cells of cable_cases.py in NEURON: writes neuron_cables.npz and neuron_cables.json beside itself, with an interpreter that has NEURON.

    nrnivmodl tests/reference/mod                       # in a folder of its own
    PYTHONPATH=tests python tests/reference/make_neuron_cables.py THAT_FOLDER [FOLDER_OF_RECONSTRUCTIONS]

NEURON's own hh, written by its authors; the other mechanisms are those of mod/, which we wrote from the equations of the papers. Each of our
branches is a section of as many segments, from the same file by Import3d, or by hand for the ball and stick. V (float32) and spike times are
CVODE's at an absolute tolerance of 1e-9. How far four other runs are from it is written down: CVODE at 1e-7, second order (``secondorder=2``)
with steps of 1 us and of 0.025 ms, and what users run, backward Euler with 0.025 ms. Spikes of fixed steps are found on straight lines between the steps.
"""

import json
import sys
from pathlib import Path

import neuron
import numpy as np
from cable_cases import BALL_AND_STICK, CELLS, DT, DURATION, INTERVAL, LONGEST, RA, SETS, THRESHOLD, V0, C, away, upward
from neuron import h

h.load_file("stdrun.hoc")
h.load_file("import3d.hoc")
HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "core/src/channelome/morphology"
SAMPLES = np.arange(round(DURATION / INTERVAL) + 1) * INTERVAL
SUFFIX = {
    "INa_HH1952": ("hh", "gnabar"), "IK_HH1952": ("hh", "gkbar"), "IL": ("pas", "g"), "INa_TM1991": ("ina_tm", "gmax"),
    "IK_TM1991": ("ik_tm", "gmax"), "ICaHT_Re1993": ("ica_re", "gmax"), "IAHP_De1994": ("iahp_de", "gmax"), "Ih_HM1992": ("ih_hm", "gmax"),
}  # fmt: skip
"""Mechanism of NEURON and its conductance in S/cm^2."""
REVERSAL = {"pas": "e", "ih_hm": "E"}


def ball_and_stick():
    soma, dend = h.Section(name="soma[0]"), h.Section(name="dend[0]")
    soma.L = soma.diam = BALL_AND_STICK["soma"]
    dend.L, dend.diam = BALL_AND_STICK["length"], BALL_AND_STICK["diameter"]
    dend.connect(soma(0.5))
    return [soma, dend]


def imported(path):
    reader = h.Import3d_SWC_read()
    reader.quiet = 1
    reader.input(str(path))
    h.Import3d_GUI(reader, 0).instantiate(None)
    return list(h.allsec())


def label(section):
    name = section.name().replace("apic[", "apical[")
    return name if "[" in name else f"{name}[0]"


def cut(sections):
    """By our names; as few segments as keep each no longer than LONGEST."""
    for section in sections:
        section.nseg = int(np.ceil(section.L / LONGEST * (1 - 1e-7)))
        section.Ra, section.cm = RA, C
    return {label(section): section for section in sections}


def insert(cell, sections, mixture):
    soma = sections["soma[0]"](0.5)
    h.celsius, h.usetable_hh = mixture.celsius, 0
    h.cao0_ca_ion, h.cai0_ca_ion = 2.0, 2.4e-4
    ions = [mechanism for mechanism in mixture.mechanisms if mechanism.label in ("na", "k")]
    for mechanism in mixture.mechanisms:
        where = cell.region(mechanism.where) if mechanism.where else ("",)
        for section in (s for name, s in sections.items() if name.split("[")[0].startswith(where)):
            if mechanism.label == "ca":
                section.insert("ca_shell")
                section.d_ca_shell, section.tau_ca_shell = mechanism.values["d"], mechanism.values["tau"]
            elif mechanism not in ions:
                channel(section, mechanism, soma)
    for ion in ions:
        for section in sections.values():
            if h.ismembrane(f"{ion.label}_ion", sec=section):
                setattr(section, f"e{ion.label}", ion.values["E"])


def channel(section, mechanism, soma):
    suffix, conductance = SUFFIX[mechanism.name]
    if not section.has_membrane(suffix):
        section.insert(suffix)
        if suffix == "hh":
            section.gnabar_hh = section.gkbar_hh = section.gl_hh = 0.0
    for segment in section:
        growth = np.exp(h.distance(soma, segment) / mechanism.growth) if mechanism.growth else 1.0
        at = getattr(segment, suffix)
        setattr(at, conductance, 1e-3 * mechanism.values["g_max"] * growth)
        if "E" in mechanism.values:
            setattr(at, REVERSAL[suffix], mechanism.values["E"])


def segment_at(sections, place):
    name, x = place.rstrip(")").split("(")
    return sections[name](float(x))


def run(segments, *, atol=None, dt=None, order=0):
    """V at SAMPLES, shape (places, samples), and spikes of each place; with CVODE at a tolerance, or steps of dt."""
    h.cvode.active(atol is not None)
    every = [h.Vector().record(segment._ref_v) for segment in segments] if dt else []
    if dt:
        h.dt, h.steps_per_ms, h.secondorder = dt, 1 / dt, order
    else:
        h.cvode.rtol(0)
        h.cvode.atol(atol)
        h.cvode.condition_order(2)
    grid = h.Vector(SAMPLES)
    V = [h.Vector().record(segment._ref_v, grid) for segment in segments]
    times = [h.Vector() for _ in segments]
    detectors = [h.NetCon(segment._ref_v, None, sec=segment.sec) for segment in segments]
    for detector, found in zip(detectors, times, strict=True):
        detector.threshold = THRESHOLD
        detector.record(found)
    h.finitialize(V0)
    h.continuerun(DURATION + 0.5)  # past the last sample
    if dt:
        steps = [np.array(trace) for trace in every]
        t = np.arange(len(steps[0])) * dt
        return np.array([np.interp(SAMPLES, t, trace) for trace in steps]), [upward(t, trace) for trace in steps]
    return np.array([list(trace) for trace in V]), [np.array(found) for found in times]


def compared(converged, other):
    """Root mean square of V away from spikes in mV, and largest difference of spike times in ms (None if their number differs), by place."""
    rms, late = [], []
    for V, mine, theirs, spikes in zip(converged[0], other[0], converged[1], other[1], strict=True):
        far = away(SAMPLES, [*theirs, *converged[1][0]])
        rms.append(float(np.sqrt(np.mean((V - mine)[far] ** 2))))
        late.append(float(np.max(np.abs(theirs - spikes), initial=0)) if len(theirs) == len(spikes) else None)
    return {"rms": rms, "spikes": late}


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list) else value


def case(name, make, kind):
    cell, mixture = CELLS[name], SETS[kind]
    for section in h.allsec():
        h.delete_section(sec=section)
    sections = cut(make())
    insert(cell, sections, mixture)
    segments = [segment_at(sections, place) for place in cell.places]
    clamp = h.IClamp(segments[mixture.at])
    clamp.delay, clamp.dur, clamp.amp = mixture.start, mixture.stop - mixture.start, cell.current[kind.split(",")[0]]
    converged = run(segments, atol=1e-9)
    others = {"cvode 1e-7": {"atol": 1e-7}, "1 us, second order": {"dt": 0.001, "order": 2}, f"{DT} ms": {"dt": DT},
              f"{DT} ms, second order": {"dt": DT, "order": 2}}  # fmt: skip
    measures = {title: rounded(compared(converged, run(segments, **how))) for title, how in others.items()}
    print(name, kind, [len(spikes) for spikes in converged[1]], json.dumps(measures), flush=True)
    every = [segment for section in sections.values() for segment in section]
    geometry = {
        "sections": [[section, sections[section].nseg] for section in sections],
        "area": np.array([segment.area() for segment in every], np.float32),
        "distance": np.array([h.distance(sections["soma[0]"](0.5), segment) for segment in every], np.float32),
    }
    return converged, measures, geometry


def main(mechanisms, reconstructions=None):
    neuron.load_mechanisms(str(Path(mechanisms).resolve()))
    makes = {"ball_and_stick": ball_and_stick, "pyramidal": lambda: imported(PACKAGE / "pyramidal.swc")}
    if reconstructions:
        for name in ("ca1_n120", "allen_485574832"):
            makes[name] = lambda path=Path(reconstructions) / f"{name}.swc": imported(path)
    arrays, told = {}, {"by": f"NEURON {neuron.__version__}", "cells": {}, "cases": {}}
    for name, make in makes.items():
        for kind in SETS:
            (V, spikes), measures, geometry = case(name, make, kind)
            arrays[f"{name}/{kind}"] = V.astype(np.float32)
            told["cases"][f"{name}/{kind}"] = {
                "spikes": [[round(float(t), 7) for t in at] for at in spikes],
                "neuron": measures,
            }
        told["cells"][name] = geometry.pop("sections")
        arrays |= {f"{name}/{what}": values for what, values in geometry.items()}
    np.savez_compressed(HERE / "neuron_cables.npz", **arrays)
    lines = [f'"by": "{told["by"]}"']
    for part in ("cells", "cases"):
        rows = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in told[part].items())
        lines.append(f'"{part}": {{\n{rows}\n}}')
    (HERE / "neuron_cables.json").write_text("{" + ",\n".join(lines) + "}\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
