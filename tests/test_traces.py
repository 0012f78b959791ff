"""Traces: access, JAX transformations, pictures, files."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import brainunit
import jax
import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import pytest
import xarray

from channelome.errors import ModelError, UnitError, UnknownName
from channelome.results.spikes import SpikeTrains, crossings
from channelome.results.traces import Traces
from channelome.state import State

mpl.use("Agg")

T = np.linspace(0.0, 50.0, 501)
UNITS = {"V": "mV", "INa.m": "1", "INa.I": "uA/cm^2", "ca.C_in": "mM"}


def example(size: tuple[int, ...]) -> Traces:
    """Sines of other phases and frequencies, as traces of a population of `size`."""
    n = int(np.prod(size))
    phase = np.arange(n).reshape(size) * 0.3
    angle = 2 * np.pi * np.multiply.outer(T / 20, 1 + phase / 5) + phase
    V = (-40 + 40 * np.sin(angle)).astype(np.float32)
    data = {
        "V": V,
        "INa.m": (1 + np.sin(angle)) / 2,
        "INa.I": -3 * np.cos(angle),
        "ca.C_in": 1e-4 * (2 + np.sin(angle)),
    }
    final = State(V[-1], {"INa": {"m": data["INa.m"][-1]}, "IL": {}}, {"na": {}, "ca": {"C_in": data["ca.C_in"][-1]}})
    return Traces(T, data, UNITS, crossings(T, V, -20.0), final, -20.0, True, {"model": "sines", "channelome": "0.1.0"})


def assert_same(a: Traces, b: Traces) -> None:
    assert a.units == b.units and list(a) == list(b)
    assert (a.V_th, a.interrupted, dict(a.provenance)) == (b.V_th, b.interrupted, dict(b.provenance))
    assert jax.tree.structure(a.final) == jax.tree.structure(b.final)
    pairs = [(a.t, b.t), *((a[name], b[name]) for name in a)]
    pairs += zip(jax.tree.leaves(a.final), jax.tree.leaves(b.final), strict=True)
    assert (a.spikes is None) == (b.spikes is None)
    if a.spikes is not None and b.spikes is not None:
        assert a.spikes.size == b.spikes.size
        pairs += [(a.spikes.times, b.spikes.times), (a.spikes.neurons, b.spikes.neurons)]
    for x, y in pairs:
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(x, y)


# ---- spikes --------------------------------------------------------------------------------------------------------


def test_a_crossing_of_a_straight_line_is_where_the_line_crosses():
    spikes = crossings([0.0, 1.0, 2.0, 3.0], [-60.0, -30.0, 10.0, -60.0], -20.0)
    np.testing.assert_allclose(spikes.times, [1.25], rtol=1e-15)
    assert spikes.size == () and spikes.counts == 1


def test_only_upward_crossings_count_and_reaching_the_threshold_is_one():
    V = [-10.0, -30.0, -20.0, -20.0, -30.0, -20.0, 0.0]
    np.testing.assert_array_equal(crossings(np.arange(7.0), V, -20.0).times, [2.0, 5.0])


def test_crossings_of_a_sine_come_at_its_phase():
    t = np.linspace(0, 100, 20_001)
    spikes = crossings(t, 30 * np.sin(2 * np.pi * t / 10), 15.0)
    # sin = 1/2 at a twelfth of the period; linear interpolation errs by t'' h^2 / 8
    np.testing.assert_allclose(spikes.times, 10 / 12 + 10 * np.arange(10), atol=1e-5)


def test_spikes_of_a_population_are_sorted_and_found_by_neuron():
    traces = example((3, 2))
    spikes = traces.spikes
    assert spikes is not None and spikes.size == (3, 2) and len(spikes) == spikes.counts.sum() > 6
    assert np.all(np.diff(spikes.times) >= 0)
    for i in range(6):
        index = np.unravel_index(i, (3, 2))
        alone = crossings(T, np.asarray(traces["V"])[:, *index], -20.0)
        np.testing.assert_array_equal(spikes.of(i), alone.times)
        np.testing.assert_array_equal(spikes.of((int(index[0]), int(index[1]))), alone.times)
        assert spikes.counts[index] == len(alone)


def test_a_threshold_may_differ_between_neurons():
    V = np.array([[-60.0, -60.0], [-30.0, -30.0]])
    np.testing.assert_array_equal(crossings([0.0, 1.0], V, [-40.0, -20.0]).counts, [1, 0])


def test_rates_are_counts_over_the_duration():
    spikes = SpikeTrains(np.array([1.0, 2.0, 3.0]), np.array([0, 2, 0]), (3,))
    np.testing.assert_allclose(spikes.rates("0.1 s"), [20.0, 0.0, 10.0])
    np.testing.assert_allclose(spikes.rates(100 * brainunit.ms), [20.0, 0.0, 10.0])
    with pytest.raises(UnitError, match="duration"):
        spikes.rates(100.0)
    with pytest.raises(ModelError, match="more than 0"):
        spikes.rates("0 ms")


@pytest.mark.parametrize("neuron", [6, -7, (3, 0), (0, 0, 0), ()])
def test_a_neuron_that_is_not_there_is_an_error(neuron: int | tuple[int, ...]):
    with pytest.raises(ModelError, match=r"size \(3, 2\)"):
        SpikeTrains(np.zeros(0), np.zeros(0, int), (3, 2)).of(neuron)


def test_crossings_refuses_shapes_that_do_not_belong_together():
    with pytest.raises(ModelError, match=r"\(3,\).*\(2,\)"):
        crossings([0.0, 1.0, 2.0], [0.0, 1.0], 0.0)
    with pytest.raises(ModelError, match="does not fit"):
        crossings([0.0, 1.0], np.zeros((2, 3)), np.zeros(2))


# ---- access --------------------------------------------------------------------------------------------------------


def test_records_are_found_by_name():
    traces = example((2,))
    assert list(traces) == list(UNITS) and len(traces) == 4
    assert "V" in traces and "K" not in traces
    assert traces["V"] is traces.data["V"]


def test_an_unknown_name_says_what_there_is_and_how_to_record_more():
    with pytest.raises(
        UnknownName, match=r"'INa\.n' was not .* V, INa\.m, .*Did you mean 'INa\.m'.*record=\[.*'INa\.n'\]"
    ):
        example(())["INa.n"]


@pytest.mark.parametrize("name", UNITS)
def test_a_quantity_has_the_records_unit(name: str):
    traces = example(())
    unit = {
        "V": brainunit.mV,
        "INa.m": brainunit.UNITLESS,
        "INa.I": brainunit.uA / brainunit.cm**2,
        "ca.C_in": brainunit.mM,
    }
    quantity = traces.quantity(name)
    assert brainunit.get_unit(quantity) == unit[name]
    np.testing.assert_array_equal(brainunit.get_magnitude(quantity), traces[name])


def test_a_temperature_becomes_an_absolute_one():
    quantity = Traces(T[:2], {"celsius": np.array([0.0, 36.0])}, {"celsius": "degC"}).quantity("celsius")
    np.testing.assert_allclose(quantity.to_decimal(brainunit.kelvin), [273.15, 309.15])


def test_repr_has_a_line_per_record_with_unit_shape_and_range():
    text = repr(example((3,)))
    assert (
        text.splitlines()[0] == f"Traces: 501 samples, t = 0 to 50 ms, {len(example((3,)).spikes)} spikes, interrupted"
    )
    assert text.splitlines()[1].split() == ["V", "mV", "(501,", "3)", "-80", "to", "0"]
    assert len(text.splitlines()) == 5
    assert "holds NaN" in repr(Traces(T[:2], {"V": np.array([0.0, np.nan])}, {"V": "mV"}))


def test_html_holds_the_same_and_is_escaped():
    text = replace(example(()), units={**UNITS, "V": "<mV>"})._repr_html_()
    assert text.count("<tr>") == 5 and "&lt;mV&gt;" in text and "(501,)" in text


# ---- JAX -----------------------------------------------------------------------------------------------------------


def test_traces_pass_through_jit_with_their_names_in_order_and_without_spikes():
    traces = example((3,))
    after = jax.jit(lambda x: x)(traces)
    assert isinstance(after["V"], jax.Array) and after.spikes is None
    assert_same(jax.tree.map(np.asarray, after), replace(traces, spikes=None))


def test_traces_made_under_vmap_have_a_batch_axis_in_every_leaf():
    def run(scale: jax.Array) -> Traces:
        traces = Traces(jnp.asarray(T), {"V": scale * jnp.sin(T)}, {"V": "mV"}, V_th=0.0)
        assert "Tracer" in type(traces["V"]).__name__ and "(501,)" in repr(traces)
        return traces

    batch = jax.vmap(run)(jnp.arange(3.0))
    assert batch.t.shape == batch["V"].shape == (3, 501) and batch.V_th == 0.0
    one = jax.tree.map(lambda x: x[2], batch)
    np.testing.assert_allclose(one["V"], 2 * np.sin(T))
    for fails in (batch.plot, lambda: batch.save("x.npz")):
        with pytest.raises(ModelError, match=r"tree\.map"):
            fails()


def test_gradients_flow_through_a_record_and_into_traces():
    def loss(traces: Traces) -> jax.Array:
        return (traces["V"] ** 2).sum()

    traces = jax.tree.map(jnp.asarray, example((2,)))
    slope = jax.grad(loss)(traces)
    np.testing.assert_allclose(slope["V"], 2 * traces["V"])
    assert not np.any(slope["INa.m"]) and isinstance(slope.final, State)


def test_leaves_are_called_by_their_names():
    paths = {jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(example(()))}
    assert {".t", "['V']", "['INa.m']", ".final.V", ".final.channels['INa']['m']"} <= paths


@pytest.mark.parametrize("use", ["plot", "save"])
def test_pictures_and_files_under_jit_are_an_error(use: str, tmp_path: Path):
    def traced(traces: Traces) -> jax.Array:
        traces.plot() if use == "plot" else traces.save(tmp_path / "x.npz")
        return traces.t

    with pytest.raises(ModelError, match="outside jit"):
        jax.jit(traced)(example(()))


# ---- pictures ------------------------------------------------------------------------------------------------------


@pytest.fixture
def plt():
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


def test_a_plot_has_a_labelled_panel_per_record_and_at_most_ten_lines(plt):
    axes = example((4, 5)).plot().axes
    assert [ax.get_ylabel() for ax in axes] == ["V (mV)", "INa.m", "INa.I (uA/cm^2)", "ca.C_in (mM)"]
    assert [ax.get_xlabel() for ax in axes] == ["", "", "", "t (ms)"]
    assert [len(ax.lines) for ax in axes] == [10] * 4
    assert axes[0].get_title(loc="left") == "the first 10 of 20 neurons"
    assert axes[0].get_shared_x_axes().joined(axes[0], axes[3]) and axes[0].get_xlim() == (0.0, 50.0)


def test_chosen_records_and_neurons_are_drawn(plt):
    traces = example((20,))
    figure = traces.plot("INa.m", "V", neurons=range(3, 18))
    assert [ax.get_ylabel() for ax in figure.axes] == ["INa.m", "V (mV)"]
    assert [len(ax.lines) for ax in figure.axes] == [15, 15]
    np.testing.assert_array_equal(figure.axes[1].lines[0].get_ydata(), traces["V"][:, 3])
    assert len(traces.plot("V", neurons=7).axes[0].lines) == 1


def test_a_plot_can_go_into_given_axes(plt):
    figure, axes = plt.subplots(2, 1)
    assert example(()).plot("V", ax=axes[1]) is figure
    assert not axes[0].lines and len(axes[1].lines) == 1
    with pytest.raises(ModelError, match="4 records need 4 axes, got 2"):
        example(()).plot(ax=axes)


def test_what_cannot_be_plotted_is_an_error(plt):
    with pytest.raises(UnknownName, match="'v' was not recorded"):
        example(()).plot("v")
    with pytest.raises(ModelError, match="no neuron 3: flat indices go from 0 to 2"):
        example((3,)).plot(neurons=3)
    with pytest.raises(ModelError, match="nothing to plot"):
        Traces(T, {}, {}).plot()
    with pytest.raises(ModelError, match="no spikes"):
        replace(example(()), spikes=None).plot_raster()


def test_a_raster_has_a_mark_per_spike(plt):
    traces = example((3, 2))
    (ax,) = traces.plot_raster().axes
    (marks,) = ax.lines
    np.testing.assert_array_equal(marks.get_xdata(), traces.spikes.times)
    np.testing.assert_array_equal(marks.get_ydata(), traces.spikes.neurons)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_xlim()) == ("t (ms)", "neuron", (0.0, 50.0))


def test_plotting_leaves_the_users_style_alone(plt):
    before = dict(plt.rcParams)
    example(()).plot()
    assert dict(plt.rcParams) == before


@pytest.mark.parametrize(
    ("library", "use", "extra"),
    [
        ("matplotlib.pyplot", lambda x, path: x.plot(), "plot"),
        ("xarray", lambda x, path: x.to_xarray(), "xarray"),
        ("h5netcdf", lambda x, path: x.save(path / "x.nc"), "xarray"),
    ],
)
def test_a_missing_library_is_named_with_the_extra_that_brings_it(library, use, extra, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf'pip install "channelome\[{extra}\]"'):
        use(example(()), tmp_path)


def test_importing_traces_imports_none_of_the_libraries_that_it_can_use():
    code = (
        "import sys, channelome.results.traces; print({'matplotlib', 'xarray', 'brainunit', 'h5py'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


# ---- files ---------------------------------------------------------------------------------------------------------


def test_a_dataset_has_named_dimensions_units_and_provenance():
    ds = example((3,)).to_xarray()
    assert ds["V"].dims == ("time", "neuron") and ds["V"].attrs["units"] == "mV" and ds["time"].attrs["units"] == "ms"
    assert set(ds.dims) == {"time", "neuron"}, "spikes are no table of the same rows"
    assert ds.attrs["model"] == "sines"
    assert float(ds["V"].sel(time=5.0, neuron=0)) == pytest.approx(0.0, abs=1e-4)
    assert example(()).to_xarray()["V"].dims == ("time",)
    assert example((3, 2)).to_xarray()["V"].dims == ("time", "neuron_0", "neuron_1")


@pytest.mark.parametrize("spiking", [True, False])
def test_records_and_spikes_are_two_tables(spiking: bool):
    traces = example((3,))
    if not spiking:
        traces = replace(traces, spikes=SpikeTrains(np.zeros(0), np.zeros(0, int), (3,)))
    samples, spikes = traces.to_xarray().to_dataframe(), traces.spikes.to_xarray().to_dataframe()
    assert len(samples) == len(traces.t) * 3
    np.testing.assert_array_equal(samples["V"].to_numpy(), np.asarray(traces["V"]).ravel())
    assert list(spikes.columns) == ["spike_time", "spike_neuron"]
    np.testing.assert_array_equal(spikes["spike_time"], traces.spikes.times)
    np.testing.assert_array_equal(spikes["spike_neuron"], traces.spikes.neurons)


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
@pytest.mark.parametrize("size", [(), (1,), (5,), (3, 2)])
def test_what_is_saved_is_loaded_back_equal(size: tuple[int, ...], suffix: str, tmp_path: Path):
    traces = example(size)
    traces.save(tmp_path / f"run{suffix}")
    assert_same(Traces.load(tmp_path / f"run{suffix}"), traces)
    assert [file.name for file in tmp_path.iterdir()] == [f"run{suffix}"]


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_traces_without_spikes_final_or_samples_with_nan_are_loaded_back_equal(suffix: str, tmp_path: Path):
    path = tmp_path / f"run{suffix}"
    silent = SpikeTrains(np.zeros(0), np.zeros(0, int), (2,))
    for traces in (
        Traces(jnp.arange(3.0), {"V": jnp.array([0.0, jnp.nan, jnp.inf])}, {"V": "mV"}),
        Traces(T, {}, {}, silent, V_th=-20.0),
        Traces(T[:0], {"V": np.zeros((0, 2))}, {"V": "mV"}),
    ):
        traces.save(path)
        assert_same(Traces.load(path), traces)


def test_the_array_of_a_record_has_its_name_in_the_npz(tmp_path: Path):
    example(()).save(tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz", allow_pickle=False) as file:
        assert {"t", *UNITS, "spikes/times", "final/V", "final/channels/INa/m", "final/ions/ca/C_in"} <= set(file.files)


@pytest.mark.parametrize("name", ["run", "run.pkl", "run.npz.gz"])
def test_other_suffixes_are_refused_both_ways(name: str, tmp_path: Path):
    with pytest.raises(ModelError, match=r"\.npz or \.nc"):
        example(()).save(tmp_path / name)
    with pytest.raises(ModelError, match=r"\.npz or \.nc"):
        Traces.load(tmp_path / name)


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_what_a_file_cannot_hold_is_refused_and_the_old_file_stays(suffix: str, tmp_path: Path):
    path = tmp_path / f"run{suffix}"
    good = example(())
    good.save(path)
    for bad, why in (
        (replace(good, end={"V": 1.0}), "only a State"),
        (replace(good, data={"t": T}, units={"t": "ms"}), "'t'"),
        (replace(good, data={"metadata": T}, units={"metadata": "1"}), "'metadata'"),
        (replace(good, data={"V": jnp.zeros(501, jnp.bfloat16)}, units={"V": "mV"}), "bfloat16"),
        (replace(good, provenance={"when": object()}), "provenance"),  # pyright: ignore[reportArgumentType]
    ):
        with pytest.raises(ModelError, match=why):
            bad.save(path)
    assert_same(Traces.load(path), good)


def test_names_that_a_dataset_uses_itself_are_refused_there():
    with pytest.raises(ModelError, match="'time'"):
        Traces(T, {"time": T}, {"time": "ms"}).to_xarray()


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_a_file_that_is_not_there_is_said_to_be_missing(suffix: str, tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=f"run{suffix}"):
        Traces.load(tmp_path / f"run{suffix}")


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
@pytest.mark.parametrize("kept", [0, 1, 40, 0.5, 0.99])
def test_a_truncated_file_is_refused_by_name(kept: float, suffix: str, tmp_path: Path):
    path = tmp_path / f"run{suffix}"
    example((5,)).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    with pytest.raises(ModelError, match=rf"run\{suffix} cannot be read"):
        Traces.load(path)


def edited(path: Path, **changes: object) -> None:
    """Rewrite the npz at `path` with some arrays replaced, or removed where the change is None."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {**{name: file[name] for name in file.files}, **changes}
    np.savez_compressed(path, **{name: array for name, array in arrays.items() if array is not None})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"metadata": None}, "no metadata"),
        ({"metadata": np.array("{")}, "metadata is not ours"),
        ({"metadata": np.array("[1]")}, "metadata is not ours"),
        ({"metadata": np.array('{"schema": 1}')}, "lacks 'units'"),
        ({"metadata": np.array('{"schema": 1, "of": "activity"}')}, "Activity.load"),
        ({"metadata": np.array('{"schema": 1, "units": 3}')}, "does not describe traces"),
        ({"metadata": np.array('{"schema": 2}')}, "schema 2"),
        ({"V": None}, "lacks 'V'"),
        ({"final/channels/INa/m": None}, "lacks 'final/channels/INa/m'"),
        ({"V": np.zeros((7, 5))}, r"'V' has the shape \(7, 5\)"),
        ({"spikes/times": np.zeros(1)}, "1,.* spike times"),
        ({"another": np.zeros(3)}, "does not tell of another"),
        ({"V": np.array([object()])}, "'V.npy' holds object, and not plain numbers"),
    ],
)
def test_a_foreign_or_damaged_npz_is_refused_by_name_and_reason(changes: dict[str, object], why: str, tmp_path: Path):
    path = tmp_path / "run.npz"
    example((5,)).save(path)
    edited(path, **changes)
    with pytest.raises(ModelError, match=rf"run\.npz.*{why}"):
        Traces.load(path)


def test_an_array_file_called_npz_is_refused(tmp_path: Path):
    with (tmp_path / "run.npz").open("wb") as file:
        np.save(file, T)
    with pytest.raises(ModelError, match="not a whole"):
        Traces.load(tmp_path / "run.npz")


def test_a_foreign_netcdf_is_refused(tmp_path: Path):
    example(()).save(tmp_path / "whole.nc")
    ds = xarray.load_dataset(tmp_path / "whole.nc", engine="h5netcdf", decode_cf=False)
    metadata = json.loads(ds.attrs.pop("channelome_metadata"))
    ds.to_netcdf(tmp_path / "run.nc", engine="h5netcdf")
    with pytest.raises(ModelError, match=r"run\.nc.*no metadata"):
        Traces.load(tmp_path / "run.nc")
    ds.attrs["channelome_metadata"] = json.dumps({**metadata, "schema": 99})
    ds.to_netcdf(tmp_path / "run.nc", engine="h5netcdf")
    with pytest.raises(ModelError, match=r"run\.nc.*schema 99"):
        Traces.load(tmp_path / "run.nc")
