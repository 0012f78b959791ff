"""The commands, run in this process."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import channelome as ch
from channelome.cli import main
from channelome.registry import registry
from channelome.registry.manifest import KINDS

SODIUM = "INa_HH1952"
AXON = "SquidAxon_HH1952"
SHORT = ("--duration", "10 ms", "--dt", "0.05 ms")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="channelome")


def printed(*arguments: object) -> str:
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: object) -> str:
    """The one line of an error, which has exit code 2 and no traceback."""
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def png_size(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", head[16:24])


# ---- list ----


def test_list_shows_everything_that_has_a_name():
    lines = printed("list").splitlines()
    assert lines[0].split() == ["NAME", "KIND", "ION", "GATES", "PACK", "SUMMARY"]
    assert sorted(line.split()[0] for line in lines[1:]) == sorted(registry)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--family", "TM1991"), {"INa_TM1991", "IK_TM1991"}),
        (("--family", "HH1952", "--ion", "k"), {"IK_HH1952"}),
        (("--family", "HH1952", "--kind", "cell"), {AXON}),
        (("--kind", "pool"), {"CalciumDetailed", "CalciumFirstOrder"}),
        (("squid", "--kind", "channel"), {"INa_HH1952", "IK_HH1952"}),
        (("na_tm1991",), {"INa_TM1991"}),
    ],
)
def test_list_filters(arguments, names):
    assert {entry["name"] for entry in json.loads(printed("list", "--json", *arguments))} == names


def test_list_puts_channels_before_solvers():
    kinds = [entry["kind"] for entry in json.loads(printed("list", "--json"))]
    assert kinds == sorted(kinds, key=list(KINDS).index)


def test_list_says_where_nothing_matches():
    result = call("list", "zebra")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing matches" in result.stderr
    assert json.loads(printed("list", "zebra", "--json")) == []


def test_list_of_an_unknown_family_names_those_installed():
    said = refused("list", "--family", "XX1900")
    assert "Installed: " in said
    assert all(family in said for family in ("Brette2007", "HH1952", "TM1991"))


# ---- show ----


def test_show_says_parameters_equations_and_references():
    text = printed("show", SODIUM)
    for part in (
        "channel/Ohmic",
        "channelome-hh1952",
        "mS/cm^2",
        "3^((celsius - 6.3)/10)",
        "def h(self, V",
        "10.1113/",
    ):
        assert part in text


def test_show_as_json_has_it_all():
    shown = json.loads(printed("show", SODIUM, "--json"))
    assert shown["parameters"]["g_max"] == {"default": 120.0, "unit": "mS/cm^2", "source": "HH1952"}
    assert shown["references"][0] | {"text": ""} == {
        "key": "HH1952", "role": "equations", "text": "", "doi": "10.1113/jphysiol.1952.sp004764",
    }  # fmt: skip
    assert shown["gates"] == ["m", "h"]
    assert shown["versions"] == [1]
    assert {"name": "Na_HH1952", "deprecated_since": None} in shown["aliases"]


def test_show_finds_aliases():
    assert printed("show", "Na_HH1952") == printed("show", SODIUM)


def test_show_of_a_cell_lists_its_parts():
    assert "IL    IL                 g_max = 0.3 mS/cm^2, E = -54.387 mV" in printed("show", AXON)
    assert json.loads(printed("show", AXON, "--json"))["model"]["channels"]["IK"]["use"] == "IK_HH1952"


@pytest.mark.parametrize("name", list(registry))
def test_show_works_for_every_name(name):
    assert printed("show", name).startswith(name)
    assert json.loads(printed("show", name, "--json"))["name"] == name


def test_show_of_an_unknown_name_suggests_one():
    assert "Did you mean INa_TM1991" in refused("show", "INa_TM1992")


# ---- plot ----


def test_plot_writes_a_picture_that_can_be_read(tmp_path):
    out = tmp_path / "na.png"
    assert printed("plot", SODIUM, "-o", out) == f"wrote {out}\n"
    assert png_size(out) == (1725, 810)
    assert out.stat().st_size > 20_000


def test_plot_follows_the_temperature(tmp_path):
    for celsius in (6.3, 20):
        printed("plot", "IK_HH1952", "--celsius", celsius, "-o", tmp_path / f"{celsius}.png")
    assert (tmp_path / "6.3.png").read_bytes() != (tmp_path / "20.png").read_bytes()


def test_plot_is_named_after_the_channel(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed("plot", "Na_TM1991")
    assert png_size(tmp_path / "INa_TM1991.png") == (1725, 810)


def test_plot_of_what_has_no_curves_says_so():
    assert f"channelome run {AXON} --plot" in refused("plot", AXON)
    assert "is a solver" in refused("plot", "rk4")


def test_plot_into_a_missing_folder_fails_before_the_work(tmp_path):
    assert "there is no folder" in refused("plot", SODIUM, "-o", tmp_path / "no" / "x.png")


def test_plot_needs_units():
    assert "holding potential needs a unit" in refused("plot", "INa_TM1991", "--hold", "-80")


# ---- run ----


def test_run_says_what_the_cell_did():
    text = printed("run", AXON, *SHORT, "--stimulus", "10 uA/cm^2", "--record", "V", "--record", "INa.m")
    assert text.startswith(f"{AXON}: 1 neuron, 10 ms, 1 spike, 100 Hz\n")
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["RECORD", "V", "INa.m"]


def test_run_as_json_is_what_simulate_returns():
    ran = json.loads(printed("run", AXON, *SHORT, "--stimulus", "10 uA/cm^2", "--solver", "rk4", "--json"))
    traces = ch.simulate(ch.cell(AXON), "10 ms", dt="0.05 ms", stimulus="10 uA/cm^2", solver="rk4")
    assert ran["spikes"]["times_ms"] == pytest.approx(traces.spikes.times.tolist())
    assert ran["records"]["V"]["max"] == pytest.approx(float(traces["V"].max()))
    assert (ran["samples"], ran["solver"], ran["files"]) == (201, "rk4", [])


def test_run_writes_traces_and_a_picture(tmp_path):
    out, picture = tmp_path / "run.npz", tmp_path / "run.png"
    text = printed("run", AXON, *SHORT, "--out", out, "--plot", picture, "--every", 2)
    assert text.endswith(f"wrote {out}\nwrote {picture}\n")
    assert ch.Traces.load(out)["V"].shape == (101, 1)
    assert min(png_size(picture)) > 300


def test_run_takes_sizes_and_other_values():
    ran = json.loads(
        printed(
            "run", "PointNeuron_Brette2007", *SHORT, "--size", 3, "--set", "V=-70 mV", "--set", "IL.E=-70 mV", "--json"
        )
    )
    assert ran["neurons"] == 3
    assert ran["records"]["V"]["min"] == pytest.approx(-70, abs=1)


def test_run_takes_a_model_from_a_file(tmp_path):
    path = tmp_path / "leak.toml"
    path.write_text('schema = 1\n[channels]\nIL = { use = "IL", E = { value = -65, unit = "mV" } }\n')
    ran = json.loads(printed("run", path, *SHORT, "--json"))
    assert ran["records"]["V"] == pytest.approx({"unit": "mV", "min": -65, "max": -65, "mean": -65})


NETWORK = """
schema = 1
kind = "Network"
[populations.source]
kind = "Poisson"
size = 30
rate = { value = 200, unit = "1/s" }
[populations.cells]
use = "PointNeuron_Brette2007"
size = 12
[groups]
some = "cells[:4]"
[projections.drive]
pre = "source"
post = "cells"
connect = { rule = "fixed_probability", p = 0.5 }
weight = { value = 20, unit = "nS" }
synapse = { use = "Expon" }
"""


@pytest.fixture
def stick(tmp_path):
    """A file of a reconstructed cell whose shape is in another beside it."""
    (tmp_path / "stick.swc").write_text("1 1 0 0 0 10 -1\n2 3 10 0 0 1 1\n3 3 210 0 0 1 2\n")
    morph = ch.Morphology.from_swc(tmp_path / "stick.swc")
    leak = ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.387 mV")
    potassium = ch.ion("PotassiumFixed", E="-77 mV")
    cell = ch.MultiCompartment(
        morph,
        "SodiumFixed",
        potassium,
        INa=ch.on("soma | dend(0, 0.6)", "INa_HH1952"),
        IK="IK_HH1952",
        IL=leak,
        celsius=6.3,
    )
    ch.save(cell, tmp_path / "stick.toml", morphology="stick.swc")
    return tmp_path / "stick.toml"


def test_run_puts_currents_into_places_of_a_reconstructed_cell(stick, tmp_path):
    arguments = (
        "--stimulus",
        "soma=0.5 nA",
        "--stimulus",
        "distance = 100 um=0.1 nA",
        "--record",
        "soma.V",
        "--record",
        "dend(1).V",
    )
    out, plot = tmp_path / "run.npz", tmp_path / "run.png"
    facts = json.loads(printed("run", stick, *SHORT, *arguments, "--out", out, "--plot", plot, "--json"))
    stimulus = ch.at("soma", "0.5 nA") + ch.at("distance = 100 um", "0.1 nA")
    traces = ch.simulate(
        ch.load(stick), "10 ms", dt="0.05 ms", stimulus=stimulus, record=["soma.V", "dend(1).V", "spikes"]
    )
    assert facts["spikes"]["times_ms"] == traces.spikes.times.tolist() != []
    assert facts["records"]["dend(1).V"]["max"] == traces["dend(1).V"].max()
    assert ch.Traces.load(out) == traces and png_size(plot)[0] > 100
    default = json.loads(printed("run", stick, *SHORT, "--stimulus", "10 uA/cm^2", "--json"))
    assert list(default["records"]) == ["soma[0](0.5).V"] and default["spikes"]["count"] > 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--stimulus", "0.5 nA"), "a current goes in at a place of a reconstructed cell: --stimulus 'soma=0.5 nA'"),
        (("--stimulus", "soma="), "--stimulus takes PLACE=VALUE here, such as soma='0.5 nA', not 'soma='"),
        (("--stimulus", "soma=1 nA", "--stimulus", "1 uA/cm^2"), "of several stimuli each has its place"),
        (("--stimulus", "axon=1 nA"), "'axon' is nowhere on stick.swc: it has soma (1), dend (1)"),
        (("--stimulus", "soma=1 mV"), "1 mV"),
        (("--record", "sma.V"), "nothing of stick.swc is called 'sma'. Did you mean 'soma'?"),
        (("--solver", "rk4"), "Take solver='staggered'"),
    ],
)
def test_run_of_a_reconstructed_cell_names_a_mistake(arguments, says, stick):
    assert says in refused("run", stick, *SHORT, *arguments)


def test_a_point_has_no_places():
    assert "a point neuron has no places: --stimulus '10 uA/cm^2'" in refused(
        "run", AXON, "--stimulus", "soma=10 uA/cm^2"
    )


def test_run_of_a_network_puts_currents_into_places(stick, tmp_path):
    cell = ch.load(stick)
    net = ch.Network(pyr=cell.replace(), points=ch.cell("PointNeuron_Brette2007", size=2))
    ch.save(net, tmp_path / "net.toml")
    arguments = (
        "--stimulus",
        "pyr.soma=0.5 nA",
        "--stimulus",
        "pyr.dend(1)=0.1 nA",
        "--stimulus",
        "points=0.1 nA",
        "--record",
        "pyr.V",
    )
    facts = json.loads(printed("run", tmp_path / "net.toml", *SHORT, *arguments, "--json"))
    assert facts["populations"]["pyr"]["spikes"] > 0
    twice = ("--stimulus", "pyr=1 uA/cm^2", "--stimulus", "pyr.soma=0.5 nA")
    assert "'pyr' is given two stimuli" in refused("run", tmp_path / "net.toml", *SHORT, *twice)


def test_show_says_where_the_parts_of_a_reconstructed_cell_are(stick):
    assert set(ch.load_dir(stick.parent)) == {"stick"}
    text = printed("show", "stick")
    assert (
        "morphology = stick.swc, per_branch = [...]" in text and "on soma | dend(0, 0.6), g_max = 120 mS/cm^2" in text
    )
    assert "Hodgkin" in printed("cite", stick)


def test_run_takes_a_network_and_says_what_each_population_did(tmp_path):
    file, out, picture = (tmp_path / name for name in ("net.toml", "run.npz", "run.png"))
    file.write_text(NETWORK)
    asked = ("run", file, "--dt", "0.1 ms", "--record", "drive.g", "--set", "drive.weight=30 nS", "--seed", 4)
    text = printed(*asked, "--stimulus", "cells=0.1 nA", "--out", out, "--plot", picture)
    run = ch.Activity.load(out)
    net = ch.network(file, seed=4, **{"drive.weight": "30 nS"})
    same = ch.simulate(net, "100 ms", dt="0.1 ms", stimulus={"cells": "0.1 nA"}, record="drive.g")
    assert np.array_equal(run["drive.g"], same["drive.g"])
    count = {name: len(run.spikes[name]) for name in ("source", "cells", "some")}
    assert 0 < count["some"] < count["cells"]
    assert text.startswith(f"{file}: 42 neurons, 100 ms, {count['source'] + count['cells']} spikes, ")
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line}
    assert {name: rows[name][:2] for name in count} == {
        "source": ["30", str(count["source"])],
        "cells": ["12", str(count["cells"])],
        "some": ["4", str(count["some"])],
    }
    assert rows["drive.g"][0] == "nS"
    assert min(png_size(picture)) > 300
    found = json.loads(printed(*asked, "--stimulus", "cells=0.1 nA", "--json"))
    assert found["populations"]["some"]["rate_Hz"] == pytest.approx(count["some"] / 4 * 10)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("Nobody_HH1952",), "no installed pack provides 'Nobody_HH1952'"),
        (("INa_TM1991",), "not a model"),
        (("COBAHH_Brette2007", "--stimulus", "0.1 nA"), "cells='0.2 nA', not '0.1 nA'"),
        (("COBAHH_Brette2007", "--size", 3), "--size is for cells"),
        ((AXON, "--seed", 3), "--seed is for networks"),
        ((AXON, "--stimulus", "1 uA/cm^2", "--stimulus", "2 uA/cm^2"), "one --stimulus"),
        (("none.toml",), "there is no file none.toml"),
        ((AXON, "--stimulus", "10"), "must be a current density"),
        ((AXON, "--stimulus", "0.1 nA"), "the cell has no area"),
        ((AXON, "--duration", "100"), "duration needs a unit"),
        ((AXON, "--solver", "rk9"), "Did you mean rk4"),
        ((AXON, "--record", "INa.q"), "Did you mean 'INa."),
        ((AXON, "--set", "INa.g_max"), "NAME=VALUE"),
        ((AXON, "--set", "INa.g_max=-3 mS/cm^2"), "at least 0"),
        ((AXON, *SHORT, "--out", "x.txt"), ".npz or .nc"),
    ],
)
def test_run_names_a_mistake(arguments, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert says in refused("run", *arguments)


# ---- doctor, env ----


def test_doctor_finds_nothing_wrong_here():
    assert printed("doctor").endswith("no problems.\n")
    assert json.loads(printed("doctor", "--json"))["problems"] == []


def test_doctor_names_problems_and_fails(monkeypatch):
    from channelome.registry import Problem, hooks

    monkeypatch.setattr(hooks, "diagnose", lambda **_: [Problem("bad-pack 1.0", "it is broken", "Remove it.")])
    result = call("doctor")
    assert result.exit_code == 1
    assert "problem: bad-pack 1.0: it is broken. Remove it." in result.stdout
    as_json = call("doctor", "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["problems"] == [
        {"distribution": "bad-pack 1.0", "what": "it is broken", "remedy": "Remove it."}
    ]


def test_env_says_what_a_bug_report_needs(monkeypatch):
    from channelome.registry import hooks

    monkeypatch.setattr(hooks, "environment", lambda: {"extra": "9.9"})
    found = json.loads(printed("env", "--json"))
    assert {"python", "channelome", "jax", "jaxlib", "numpy", "brainunit", "backend", "devices", "cpu features"} <= set(
        found
    )
    assert found["x64"] is True
    assert found["extra"] == "9.9"
    assert found["packs"]["HH1952"].startswith("channelome-hh1952 ")
    assert found["numpy"] == np.__version__
    assert "HH1952 (channelome-hh1952 " in printed("env")


# ---- pack sync ----


def test_shipped_manifests_are_in_line(repository):
    for folder in ("core", "plugins/hh1952", "plugins/tm1991"):
        assert "is in line" in printed("pack", "sync", "--check", repository / folder)


def test_pack_sync_writes_what_has_changed(repository, tmp_path):
    source = repository / "plugins/hh1952/src/channelome_hh1952/pack.toml"
    manifest = tmp_path / "channelome_hh1952" / "pack.toml"
    manifest.parent.mkdir()
    manifest.write_text(source.read_text().replace("default = 120.0", "default = 12.0"))
    assert call("pack", "sync", "--check", manifest).exit_code == 1
    assert "written" in printed("pack", "sync", manifest)
    assert "is in line" in printed("pack", "sync", "--check", manifest)


def test_pack_sync_of_no_pack_says_so(tmp_path):
    assert "has no pyproject.toml" in refused("pack", "sync", tmp_path)


# ---- the program ----


def test_help_names_every_command():
    text = printed("--help")
    for command in ("list", "show", "plot", "run", "doctor", "env", "pack"):
        assert f"\n  {command} " in text


def test_version():
    assert printed("--version") == f"channelome {ch.__version__}\n"
