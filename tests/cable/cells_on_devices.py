"""Cells of compartments on several devices of one process: ``python cells_on_devices.py OUTPUT NAME=2,4 ...`` runs those named on one device and on so many."""

import sys
from unittest import mock

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_num_cpu_devices", 4)

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

import channelome as ch  # noqa: E402

N, DT = 32, "0.025 ms"
CUT = (
    ch.Morphology.soma("20 um")
    .branch("dend", length="120 um", diameter="2 um")
    .branch("apical", length="150 um", diameter="3 um", at="dend(0.5)")
    .discretise(ch.max_length("40 um"))
)
OTHER = ch.Morphology.ball_and_stick(length="100 um").discretise(ch.max_length("30 um"))
AMOUNTS = (np.linspace(0.2, 0.9, N), "nA")
BY_CELL = (np.linspace(100, 140, N)[:, None], "mS/cm^2")
IONS = ("SodiumFixed", ch.ion("PotassiumFixed", E="-77 mV"))


def cells(cut=CUT, size=N, **given):
    parts = {
        "INa": ch.channel("INa_HH1952", g_max=BY_CELL if size == N else "120 mS/cm^2"), "IK": ch.on("soma | dend", "IK_HH1952"),
        "IL": ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.4 mV"),
    } | given  # fmt: skip
    return ch.MultiCompartment(cut, *IONS, celsius=6.3, size=size, **parts)


def found(run, **more):
    """What a run gave, by name."""
    spikes = run.spikes if isinstance(run.spikes, dict) else {"spikes": run.spikes}
    trains = {f"{name}.{x}": getattr(train, x) for name, train in spikes.items() for x in ("times", "neurons")}
    state = {jax.tree_util.keystr(path): x for path, x in jax.tree_util.tree_leaves_with_path(run.final)}
    return {**trains, **run.data, **state, **more}


def go(what, duration, devices, **given):
    return ch.simulate(what, duration, devices=devices, **({"dt": DT} | given))


def alone(devices):
    """Records of a place, a region, all of the cell and a part; a current for each and noise. Nothing travels."""
    cell = cells()
    stimulus = ch.at("soma", ch.step(AMOUNTS)) + ch.at("apical(0.5)", ch.noise("0.1 nA", "0.1 nA", size=N, key=1))
    record = ["soma.V", "apical.V", "V", "soma.IK.n", "dend(0.1).INa.current", "spikes"]
    given = {"stimulus": stimulus, "record": record, "every": 5}
    with mock.patch.object(
        jax.lax, "all_gather", side_effect=AssertionError("cells without synapses asked for others")
    ):
        return found(go(cell, "6 ms", devices, chunk=20, **given)), cell, given


def continued(cell, given, devices, output):
    """Begun on one device and kept in a file, it goes on on several; and the other way round."""
    for before, after in ((None, devices), (devices, None)):
        go(cell, "3 ms", before, **given).save(f"{output}.run.npz")
        first = ch.Traces.load(f"{output}.run.npz").final
        yield before or 0, go(cell, "3 ms", after, state=first, start="3 ms", **given)["V"]


def few(devices):
    """A network of one path onto places, of a part of cells of another shape, and of gap junctions between places."""
    some = ch.fixed_probability(0.3)
    net = ch.Network(
        pyr=cells(), other=cells(OTHER, size=16),
        out=ch.Projection("pyr[8:]", "other.spread(dend)", "Expon", some, weight="4 nS", delay="0.5 ms"),
        tips=ch.Projection("pyr.apical(1)", "pyr.dend(1)", "GapJunction", some, weight="2 nS"),
    )  # fmt: skip
    stimulus = {"pyr": ch.at("soma", ch.step(AMOUNTS))}
    return found(go(net, "8 ms", devices, stimulus=stimulus, record=["pyr[3:21:4].apical.V", "other.soma.V", "out.g"]))


def as_on_accelerators(devices):
    """Trees eliminated in rounds, spikes delivered in blocks."""
    with mock.patch.object(jax, "default_backend", return_value="gpu"):
        return few(devices)


def network(devices):
    """Synapses at places and all over a region, with one delay and delays of their own, of two shapes, on points and from points, from sources."""
    every, some = ch.all_to_all(), ch.fixed_probability(0.3)
    net = ch.Network(
        pyr=cells(), twin=cells(size=8), other=cells(OTHER, size=16), src=ch.Poisson(12, rate="400 Hz"),
        points=ch.cell("PointNeuron_Brette2007", size=64, V=ch.uniform("-75 mV", "-52 mV", seed=1)),
        drive=ch.Projection("src", "pyr.apical(0.5)", "Expon", some, weight="3 nS", delay="0.5 ms"),
        more=ch.Projection("src", "other.soma", "Expon", every, weight="3 nS", delay="0.5 ms"),
        among=ch.Projection(
            "pyr[8:]", "pyr.spread(dend | apical)", "Expon", some, weight=ch.uniform("1 nS", "3 nS", seed=3), delay=ch.uniform("0 ms", "2 ms", seed=4)
        ),
        fast=ch.Projection("pyr", "twin.apical(1)", "AMPA", some, weight="1 nS", delay="0.5 ms"),
        out=ch.Projection("pyr", "points", "Expon", some, weight="8 nS"),
        back=ch.Projection("points[16:]", "pyr.soma", ch.synapse("Expon", tau="10 ms", E="-80 mV"), some, weight="3 nS"),
    )  # fmt: skip
    record = [
        "pyr.soma.V",
        "pyr[3:21:4].apical.V",
        "other[2, 3, 9].dend.V",
        "drive.g",
        "among.g",
        "fast.current",
        "points[5:40].V",
    ]
    stimulus = {"pyr": ch.at("soma", ch.step(AMOUNTS)), "points": "0.3 nA"}
    return found(go(net, "8 ms", devices, stimulus=stimulus, record=record))


def joined(devices):
    """Gap junctions between places, to points and to cells of another shape."""
    some = ch.fixed_probability(0.2)
    points = ch.SingleCompartment(16, IL=ch.channel("IL", g_max="0.3 mS/cm^2", E="-54 mV"), area="1000 um^2")
    net = ch.Network(
        pyr=cells(), other=cells(OTHER, size=8), points=points,
        tips=ch.Projection("pyr.apical(1)", "pyr.dend(1)", "GapJunction", some, weight="5 nS"),
        across=ch.Projection("pyr.soma", "other.soma", "GapJunction", some, weight="1 nS"),
        down=ch.Projection("other.dend(0.5)", "points", "GapJunction", some, weight=ch.uniform("1 nS", "2 nS", seed=2)),
    )  # fmt: skip
    return found(
        go(net, "4 ms", devices, stimulus={"pyr": ch.at("soma", ch.step(AMOUNTS))}, record=["pyr.V", "points.V"])
    )


def held(devices, **given):
    """A clamp with a command for each cell, and a current at another place."""
    command = ch.voltage_clamp("-65 mV").command + ch.step((np.linspace(5, 40, N), "mV"), start="0.51 ms")
    stimulus = ch.at("soma", ch.voltage_clamp(command, **given)) + ch.at("apical(1)", ch.step("0.1 nA"))
    return found(go(cells(), "2 ms", devices, stimulus=stimulus, record=["soma.V", "apical(1).V", "clamp.current"]))


def through_a_resistance(devices):
    return held(devices, series_resistance=(np.linspace(2, 9, N), "Mohm"))


def points_held(devices):
    """The same of points, ideally and through a resistance, in a network."""
    point = ch.SingleCompartment(N, *IONS, INa="INa_HH1952", IK="IK_HH1952", celsius=6.3, area="1000 um^2")
    command = ch.command("-65 mV", ((np.linspace(-60, 0, N), "mV"), "1 ms"), start="0.51 ms")
    stimulus = {"a": ch.voltage_clamp(command), "b": ch.voltage_clamp(command, series_resistance="10 Mohm")}
    return found(
        go(
            ch.Network(a=point, b=point),
            "2 ms",
            devices,
            stimulus=stimulus,
            record=["a.clamp.current", "b.clamp.current", "b.V"],
        )
    )


def backward(devices):
    """Another solver, and threshold, temperature and a density for each cell."""
    each = np.linspace(-1, 1, N)
    cell = cells().replace(V_th=(10 * each[:, None], "mV"), celsius=(6.3 + each[:, None], "degC"))
    return found(
        go(cell, "3 ms", devices, stimulus=ch.step((20 + each, "uA/cm^2")), record="V", solver="backward_euler")
    )


def diffusing(devices):
    """A pool with a coefficient for each cell."""
    pool = ch.ion("CalciumDetailed", tau="20 ms", D=(np.linspace(0.1, 0.4, N)[:, None], "um^2/ms"))
    cell = cells(ca=ch.on("apical", pool), ICa=ch.on("apical", "ICaHT_Re1993", g_max="0.5 mS/cm^2"))
    return found(go(cell, "3 ms", devices, stimulus=ch.at("soma", ch.step(AMOUNTS)), record=["soma.V", "ca.C_in"]))


def shells(devices):
    shells = ch.ion(
        "CalciumShells",
        shells=3,
        D="0.2 um^2/ms",
        B="0.05 mM",
        k_on="100 1/(mM*ms)",
        k_off="0.1 1/ms",
        D_B="0.05 um^2/ms",
    )
    cell = cells(ca=ch.on("apical", shells), ICa=ch.on("apical", "ICaHT_Re1993", g_max="0.5 mS/cm^2"))
    return found(go(cell, "3 ms", devices, stimulus=ch.at("soma", ch.step(AMOUNTS)), record=["soma.V", "ca.C_in"]))


def loss(devices, g, amplitude):
    cell = cells(INa="INa_HH1952").replace(**{"IL.g_max": (g[:, None], "mS/cm^2")})
    stimulus = ch.at("soma", ch.step((amplitude, "nA")))
    run = go(cell, "1 ms", devices, stimulus=stimulus, record=["soma.V", "apical.V", "spikes"])
    return jnp.mean(run["soma.V"] ** 2) + jnp.mean(run["apical.V"]), (run["apical.V"], run["spikes"], run.final.V)


def derivative(devices):
    """With respect to a parameter of each cell and a number of all."""
    of = jax.jit(jax.value_and_grad(lambda *x: loss(devices, *x), argnums=(0, 1), has_aux=True))
    (value, (V, spikes, final)), (by_cell, of_all) = of(jnp.linspace(0.2, 0.4, N), 0.5)
    return {"value": value, "V": V, "spikes": spikes, "final": final, "by cell": by_cell, "of all": of_all}


def batch(devices):
    g = jnp.linspace(0.2, 0.4, N)
    return {"value": jax.vmap(lambda x: loss(devices, g, x)[0])(jnp.asarray([0.3, 0.6]))}


def joined_derivative(devices):
    net = ch.Network(
        pyr=cells(),
        tips=ch.Projection("pyr.apical(1)", "pyr.dend(1)", "GapJunction", ch.fixed_probability(0.2), weight="5 nS"),
    )

    def loss(amplitudes):
        stimulus = {"pyr": ch.at("soma", ch.step((amplitudes, "nA")))}
        return jnp.mean(
            go(net, "0.5 ms", devices, stimulus=stimulus, record="pyr[4:9].apical(1).V")["pyr[4:9].apical(1).V"]
        )

    value, by_cell = jax.jit(jax.value_and_grad(loss))(jnp.linspace(0.2, 0.5, N))
    return {"value": value, "by cell": by_cell}


def traced_network(devices):
    """Synapses under a trace are on one device, whatever is asked for."""
    some = ch.fixed_probability(0.4)
    points = ch.cell("PointNeuron_Brette2007", size=N, V=ch.uniform("-75 mV", "-52 mV", seed=1))
    net = ch.Network(points=points, exc=ch.Projection("points[16:]", "points", "Expon", some, weight="6 nS"))

    def V(amplitude):
        return go(
            net, "10 ms", devices, dt="0.1 ms", stimulus={"points": ch.step((amplitude, "nA"))}, record="points.V"
        )["points.V"]

    return {"V": jax.jit(V)(0.5), "plain": V(0.5)}


def main(output, *asked):
    results = {}
    for name, _, several in (x.partition("=") for x in asked):
        for devices in (None, *map(int, several.split(","))):
            run = globals()[name](devices)
            if name == "alone":
                run, cell, given = run
                if devices is not None:
                    pairs = continued(cell, given, devices, output)
                    results |= {f"continued/{devices}/{before}": V for before, V in pairs}
            results |= {f"{name}/{devices or 0}/{key}": x for key, x in run.items()}
    np.savez(output, **{key: np.asarray(x) for key, x in results.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
