"""Populations of cells with compartments give on several devices what they give on one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import channelome as ch

SCRIPT = Path(__file__).with_name("cells_on_devices.py")
# not imported from the script: that would give this process four devices, and fail once JAX has begun
QUICK = {"alone": 1e-10, "network": 1e-10, "joined": 1e-8, "held": 1e-10, "derivative": 1e-10, "traced_network": 0}
"""By case the largest difference, relative to the largest number of its kind."""
MORE = {
    "through_a_resistance": 1e-10, "points_held": 1e-10, "backward": 1e-10, "shells": 1e-9, "batch": 1e-10, "joined_derivative": 1e-8,
}  # fmt: skip
SEVERAL = {"network": (1, 2, 4), "traced_network": (1, 2, 4)}


def run(folder, names):
    output = folder / "runs.npz"
    environment = {key: value for key, value in os.environ.items() if key != "XLA_FLAGS"} | {"JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(output), *names],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return np.load(output)


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    return run(tmp_path_factory.mktemp("devices"), QUICK)


@pytest.fixture(scope="module")
def more(tmp_path_factory):
    return run(tmp_path_factory.mktemp("devices"), MORE)


def compare(runs, name, devices, allowed):
    keys = [key.split("/", 2)[2] for key in runs.files if key.startswith(f"{name}/0/")]
    assert keys
    assert sum(np.ptp(runs[f"{name}/0/{key}"]) > 0 for key in keys if runs[f"{name}/0/{key}"].size) >= len(keys) / 3
    for key in keys:
        one, several = runs[f"{name}/0/{key}"], runs[f"{name}/{devices}/{key}"]
        assert one.shape == several.shape, key
        assert np.all(np.abs(one - several) <= allowed * np.max(np.abs(one), initial=0)), key


@pytest.mark.parametrize(("name", "devices"), [(name, n) for name in QUICK for n in SEVERAL.get(name, (2,))])
def test_several_devices_give_what_one_gives(quick, name, devices):
    compare(quick, name, devices, QUICK[name])


@pytest.mark.thorough
@pytest.mark.parametrize("name", MORE)
def test_so_they_do_in_other_ways_of_running(more, name):
    compare(more, name, 2, MORE[name])


def test_spikes_travel_from_shape_to_shape(quick):
    assert quick["alone/2/spikes.times"].size > 20
    assert all(quick[f"network/2/{name}.times"].size > 20 for name in ("pyr", "points", "src"))


@pytest.mark.parametrize("before", [1, 4])
def test_a_run_goes_on_on_two_devices_from_a_file_of_one_or_of_four(quick, before):
    assert np.array_equal(
        quick[f"continued/{before}/V"][1:], quick["alone/2/V"][quick[f"continued/{before}/V"].shape[0] :]
    )


def test_what_devices_cannot_share_evenly_is_named():
    cells = ch.MultiCompartment(
        ch.Morphology.soma("20 um"), IL=ch.channel("IL", g_max="1 mS/cm^2", E="-60 mV"), size=(2, 3)
    )
    says = re.escape("the population of shape (2, 3) cannot be shared by 1 devices: give it one axis and a size")
    with pytest.raises(ch.ModelError, match=says):
        ch.simulate(cells, "1 ms", dt="0.1 ms", devices=1)
