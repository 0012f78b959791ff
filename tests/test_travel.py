"""Every public object can be pickled, copied and compared after it, and runs elsewhere as it does here."""

import copy
import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import cloudpickle
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import channelome as ch
from channelome.authoring import Conductance, Ohmic, Rates, Voltage, exp, linoid, param, rates


def cell(size: int | tuple[int, ...] = 3) -> ch.SingleCompartment:
    return ch.cell("PointNeuron_Brette2007", size=size, V=ch.normal("-65 mV", "4 mV", seed=1))


def network() -> ch.Network:
    return ch.Network(
        cells=cell(20), noise=ch.Poisson(5, rate="300 Hz"), given=ch.SpikeSource(2, times="1 ms", neurons=[1]), some="cells[:5]",
        exc=ch.Projection("cells", "cells", "Expon", ch.fixed_probability(0.3), weight=ch.uniform("1 nS", "2 nS", seed=1), delay="0.5 ms"),
        drive=ch.Projection("noise", "cells", "AMPA", ch.all_to_all(), weight="20 nS", plasticity=None),
    )  # fmt: skip


def triangle(t: object) -> object:
    return 0.1 * t


def reconstructed() -> ch.MultiCompartment:
    far = ch.on("dend & distance > 100 um", "CalciumDetailed")
    leak = ch.on("dend", "IL", g_max=ch.by_distance(lambda x: 0.1 + x / 1e3, "mS/cm^2"))
    stick = ch.Morphology.ball_and_stick(length="200 um")
    return ch.MultiCompartment(stick, IL=leak, ca=far, size=2, V=ch.normal("-65 mV", "3 mV", seed=1), celsius=20)


def placed() -> ch.Network:
    path = ch.Projection("noise", "pyr.spread(dend)", "Expon", ch.all_to_all(), weight="1 nS")
    return ch.Network(pyr=reconstructed(), noise=ch.Poisson(5, rate="300 Hz"), drive=path)


OBJECTS = {
    "reconstructed cell": reconstructed,
    "network of reconstructed cells": placed,
    "traces at places": lambda: ch.simulate(
        reconstructed(), "2 ms", dt="0.1 ms", stimulus=ch.at("soma", "0.1 nA"), record=["soma.V", "V"]
    ),
    "activity of reconstructed cells": lambda: ch.simulate(placed(), "2 ms", dt="0.1 ms", record=["pyr.soma.V"]),
    "stimulus at a place": lambda: ch.at("soma", ch.step("1 nA")),
    "cell": cell,
    "cell by name": lambda: ch.cell("SquidAxon_HH1952"),
    "channel": lambda: ch.channel("INa_TM1991", g_max="90 mS/cm^2"),
    "ion": lambda: ch.ion("CalciumDetailed", d="0.5 um"),
    "leak of core": lambda: ch.channel("IL"),
    "synapse": lambda: ch.synapse("NMDA", Mg="2 mM"),
    "plasticity": lambda: ch.plasticity("TsodyksMarkram", U=0.3),
    "network": network,
    "projection": lambda: ch.Projection("a", "b", "Expon", ch.fixed_indegree(3), weight="1 nS"),
    "connections given": lambda: ch.from_arrays([1, 2], [3, 4], weights=[0.5, 2.0]),
    "step": lambda: ch.step("1 nA", start="3 ms"),
    "noise": lambda: ch.noise("0 nA", "1 nA", key=3, size=2),
    "samples and sine": lambda: 2 * ch.samples(([1, 2], "nA"), dt="1 ms") - ch.sine("1 nA", period="3 ms"),
    "function of a module": lambda: ch.function(triangle, unit="nA"),
    "function of JAX": lambda: ch.function(jnp.sin, unit="nA"),
    "distance by JAX": lambda: ch.by_distance(jnp.exp, "mS/cm^2"),
    "curves": lambda: ch.curves("INa_TM1991", ([-70.0, 0.0], "mV"), celsius=36),
    "protocol": lambda: ch.protocols.activation(hold="-70 mV", levels=([-40.0, 0.0], "mV"), width="9 ms"),
    "table of synapses": lambda: network()["exc"].edges,
    "poisson": lambda: ch.Poisson(3, rate="20 Hz", seed=4),
    "given spikes": lambda: ch.SpikeSource(2, times=([1, 2], "ms"), neurons=[0, 1]),
    "sampled": lambda: ch.normal("1 mV", "2 mV", seed=3),
    "state": lambda: ch.simulate(cell(), "1 ms", dt="0.1 ms").final,
    "traces": lambda: ch.simulate(cell(), "30 ms", dt="0.1 ms", stimulus="3 uA/cm^2", record=["V", "INa.m"]),
    "spikes": lambda: ch.simulate(cell(), "30 ms", dt="0.1 ms", stimulus="3 uA/cm^2").spikes,
    "activity": lambda: ch.simulate(network(), "5 ms", dt="0.1 ms", record=["cells.V", "exc.g"]),
    "solver": lambda: ch.solver("staggered"),
    "Runge-Kutta solver": lambda: ch.solver("rk4"),
}
WAYS = {
    "pickle": lambda x: pickle.loads(pickle.dumps(x)),
    "cloudpickle": lambda x: cloudpickle.loads(cloudpickle.dumps(x)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", OBJECTS)
def test_what_arrives_is_what_was_sent(name: str, way: str) -> None:
    sent = OBJECTS[name]()
    there = WAYS[way](sent)
    assert type(there) is type(sent)
    if name != "connections given":  # arrays in a plain rule
        assert there == sent and hash(there) == hash(sent)
    assert repr(there) == repr(sent)


def test_what_differs_in_a_bit_is_not_equal() -> None:
    here = cell()
    assert here == cell() and here != cell(4)
    assert here != here.replace(**{"INa.g_max": (np.nextafter(100.0, 200), "mS/cm^2")})
    assert network() == network() != network().replace(**{"drive.weight": "21 nS"})
    assert ch.step("1 nA") == ch.step("1 nA") != ch.step("1 nA", start="1 ms")
    state = here.initial_state()
    assert state == cell().initial_state() != state._replace(V=-state.V)
    assert ch.Poisson(1, rate="0 Hz") != ch.Poisson(1, rate="-0 Hz")
    run = ch.simulate(here, "1 ms", dt="0.1 ms")
    assert run == ch.simulate(here, "1 ms", dt="0.1 ms") != ch.simulate(here, "1.1 ms", dt="0.1 ms")


def test_what_is_equal_has_one_hash_whatever_the_order() -> None:
    """JAX sorts what a state holds; a state before and after a trace were two in a set."""
    state = ch.simulate(network(), "0.1 ms", dt="0.1 ms").final
    for one in (state, state.cells["cells"]):
        other = jax.tree.map(lambda x: x, one)
        assert other == one and hash(other) == hash(one)
        assert hash(type(one)(*(dict(reversed(x.items())) if isinstance(x, dict) else x for x in one))) == hash(one)


def test_a_copy_runs_to_the_same_bits_and_compiles_nothing() -> None:
    for sent, options in ((cell(), {"stimulus": "3 uA/cm^2"}), (network(), {"record": "cells.V"})):
        here = ch.simulate(sent, "5 ms", dt="0.1 ms", **options)
        arrived = pickle.loads(pickle.dumps(sent))
        count = 0

        def listen(event: str, _: float, **__: object) -> None:
            nonlocal count
            count += event == "/jax/core/compile/backend_compile_duration"

        jax.monitoring.register_event_duration_secs_listener(listen)
        there = ch.simulate(arrived, "5 ms", dt="0.1 ms", **options)
        jax.monitoring.unregister_event_duration_listener(listen)
        assert there == here and count == 0


def test_sampled_values_and_where_they_come_from_travel_along(tmp_path) -> None:
    arrived = pickle.loads(pickle.dumps(cell()))
    ch.save(arrived, tmp_path / "cell.toml")
    assert "normal" in (tmp_path / "cell.toml").read_text() and arrived.cite() == cell().cite()


class IOwn(Ohmic, ion="k"):
    """A potassium current of this file."""

    g_max: Conductance = param(1.0, source="our choice")
    V_half: Voltage = param(-40.0, source="our choice")

    def n(self, V: object) -> Rates:
        return rates(alpha=0.1 * linoid(self.V_half - V, 10), beta=exp(-V / 80))

    def conductance(self, n: object) -> object:
        return self.g_max * n


def test_a_class_of_a_module_travels_as_a_class_and_one_of_a_pack_by_name() -> None:
    own = ch.SingleCompartment(1, "PotassiumFixed", IK=IOwn)
    assert b"IOwn" in pickle.dumps(own) and pickle.loads(pickle.dumps(own)) == own
    sent = pickle.dumps(ch.channel("INa_TM1991"))
    assert b"INa_TM1991@1" in sent and b"channelome_tm1991" not in sent


def test_a_class_of_a_notebook_travels_by_cloudpickle() -> None:
    scope: dict = {"__name__": "__main__"}
    source = "from channelome.authoring import *\nclass ILocal(Ohmic):\n    'A leak of a notebook.'\n    g: Conductance = 0.1\n    E: Voltage = -70.0\n    def conductance(self):\n        return self.g\n"
    exec(source, scope)
    local = ch.SingleCompartment(1, IL=scope["ILocal"])
    there = cloudpickle.loads(cloudpickle.dumps(local))
    assert there.channels["IL"].g == 0.1
    with pytest.raises((pickle.PicklingError, AttributeError), match="ILocal"):
        pickle.dumps(local)


def test_a_function_without_a_name_travels_by_cloudpickle_alone() -> None:
    stimulus = ch.function(lambda t: t, unit="nA")
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(stimulus)
    assert cloudpickle.loads(cloudpickle.dumps(stimulus))(2.0) == 2.0


def test_a_network_with_kernels_without_a_name_travels_by_cloudpickle_alone() -> None:
    sent = ch.Network(
        cells=cell((6, 6)),
        p=ch.Projection(
            "cells", "cells", "Expon", ch.distance_dependent(0.8, kernel=lambda d: 1 / (1 + d), reach=4),
            weight=ch.by_distance(lambda d: 1 + d, "nS"),
        ),
    )  # fmt: skip
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(sent)
    arrived = cloudpickle.loads(cloudpickle.dumps(sent))
    for here, there in ((sent, arrived), (sent.replace(seed=4), arrived.replace(seed=4))):
        assert all(np.array_equal(x, y) for x, y in zip(here["p"].edges, there["p"].edges, strict=True))


def there(sent: bytes) -> tuple[bytes, str]:
    """What a worker does: unpickle a model, run it, send the run back."""
    model, options = pickle.loads(sent)
    run = ch.simulate(model, "5 ms", dt="0.1 ms", progress=False, **options)
    return pickle.dumps(run), str(os.getpid())


@pytest.mark.slow
def test_a_process_that_is_spawned_runs_what_it_is_sent() -> None:
    with jax.enable_x64(False):
        jobs = [(cell(), {"stimulus": ch.noise("3 uA/cm^2", "1 uA/cm^2", key=1)}), (network(), {"record": ["cells.V"]})]
        here = [ch.simulate(model, "5 ms", dt="0.1 ms", **options) for model, options in jobs]
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            answers = list(pool.map(there, map(pickle.dumps, jobs)))
    assert all(pid != str(os.getpid()) for _, pid in answers)
    for run, (answer, _) in zip(here, answers, strict=True):
        assert pickle.loads(answer) == run


@pytest.mark.slow
def test_where_the_pack_is_missing_the_usual_error_says_so() -> None:
    sent = pickle.dumps(cell())
    code = "import sys, pickle; pickle.loads(sys.stdin.buffer.read())"
    environment = {**os.environ, "CHANNELOME_DISABLE_PACKS": "TM1991"}
    done = subprocess.run([sys.executable, "-c", code], input=sent, capture_output=True, env=environment)
    assert done.returncode and b"UnknownName" in done.stderr and b"TM1991" in done.stderr
