"""A manifest beside its code: what is loaded must be what the manifest says, of the kind and of the pack that the name says."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from registry.packs import channel_table, make_pack

from channelome.errors import PackError
from channelome.registry import Registry
from channelome.registry.discovery import Source, Switches
from channelome.registry.provenance import block, changes
from channelome.registry.sync import sync

CODE = dedent("""
    from channelome.authoring import Array, Conductance, Gate, Linear, Ohmic, Pool, PositiveTime, Rates, exp, param, rates
    from channelome.authoring import Concentration, Synapse, Time

    SCALE = 1.0

    def opening(V):
        return exp(V / 20)

    class INa_{family}(Ohmic, ion="na"):
        \"\"\"Sodium current of a test.\"\"\"

        g_max: Conductance = param(1.0, source="our choice")

        def m(self, V: Array) -> Rates:
            return rates(alpha=opening(V), beta=exp(-V / 20))

        def conductance(self, m: Array) -> Array:
            return SCALE * self.g_max * m

    class IK_{family}(Ohmic, ion="k"):
        \"\"\"Potassium current of a test.\"\"\"

        g_max: Conductance = param(2.0, source="our choice")

        def conductance(self, V: Array) -> Array:
            return self.g_max + 0 * V

    class Pool_{family}(Pool, species="ca"):
        \"\"\"A pool of a test.\"\"\"

        tau: PositiveTime = param(5.0, source="our choice")
        C_rest: Concentration = param(1e-4, source="our choice")
        C_out: Concentration = param(2.0, source="our choice")

        def balance(self, I):
            return Linear(-0.001 * I + self.C_rest / self.tau, 1 / self.tau)
""")
NUMBERS = itertools.count()
"""No two packs have one name: modules stay where they were found."""


class Made:
    """A pack in a folder, its manifest synced with its code before either is changed."""

    def __init__(self, site: Path, number: int) -> None:
        self.site, self.family, self.name = site, f"Agree{number}", f"pack_agree{number}"
        self.package = make_pack(site, self.name, self.family, code=CODE, tables="")
        self.code, self.manifest = site / self.package / "__init__.py", site / self.package / "pack.toml"
        sync(self.manifest)
        self.forget()

    def forget(self) -> None:
        sys.modules.pop(self.package, None)

    def change(self, file: Path, before: str, after: str) -> "Made":
        text = file.read_text()
        assert text.count(before) >= 1
        file.write_text(text.replace(before, after, 1))
        os.utime(file, (1e9, 1e9))  # another time than the compiled file knows
        self.forget()
        return self

    def registry(self, **switches: str) -> Registry:
        self.forget()
        source = Source(self.family, self.package, "pack.toml", f"{self.name} 1.2")
        return Registry.discover([source], Switches.from_environment(switches))

    def load(self, registry: Registry, current: str = "INa") -> type:
        return registry.load(f"{current}_{self.family}")


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    monkeypatch.syspath_prepend(str(tmp_path))
    pack = Made(tmp_path, next(NUMBERS))
    yield pack
    pack.forget()


def test_a_synced_pack_has_no_problem_strict_or_not(made: Made):
    for strict in ("", "1"):
        registry = made.registry(CHANNELOME_STRICT=strict)
        assert [made.load(registry, current).__name__.partition("_")[0] for current in ("INa", "IK", "Pool")]
        assert registry.problems == ()
        assert registry.diagnose() == []


LIES = [
    ("default = 1.0", "default = 999.0", "g_max is 999.0 mS/cm^2 there, 1.0 mS/cm^2 in the code"),
    ('unit = "mS/cm^2"', 'unit = "mV"', "g_max is 2.0 mV there, 2.0 mS/cm^2 in the code"),
    ('ion = "na"', 'ion = "ca"', "its ion is 'ca' there, 'na' in the code"),
    ('kind = "Ohmic"', 'kind = "Markov"', "its kind is 'Markov' there, 'Ohmic' in the code"),
    ('    "m",', '    "m",\n    "h",', "its gates is ['m', 'h'] there, ['m'] in the code"),
    ("parameters.g_max]", "parameters.g_min]", "it has no parameter 'g_min' in the code, it has a parameter 'g_max' in the code"),
    ("beta=exp(-V / 20)", "beta=exp(-V / 10)", "its equations are others in the code"),
    ('digest = "', 'digest = "0', "its code is another"),
]  # fmt: skip
CHANGES = [
    ("param(1.0,", "param(100.0,", "g_max is 1.0 mS/cm^2 there, 100.0 mS/cm^2 in the code"),
    ("return SCALE * self.g_max", "return 100 * SCALE * self.g_max", "its equations are others in the code"),
    ("SCALE = 1.0", "SCALE = 100.0", "its code is another"),
    ("return exp(V / 20)", "return exp(V / 2)", "its code is another"),
    ("-0.001 * I", "-0.1 * I", "its code is another"),
    ("param(5.0,", "param(500.0,", "tau is 5.0 ms there, 500.0 ms in the code"),
]


@pytest.mark.parametrize(("before", "after", "said"), LIES, ids=[after for _, after, _ in LIES])
def test_a_manifest_that_lies_is_named_when_the_pack_is_first_imported(made: Made, before: str, after: str, said: str):
    registry = made.change(made.manifest, before, after).registry()
    assert registry.problems == ()  # the text alone is in order
    made.load(registry)
    (problem,) = registry.problems
    assert problem.distribution == f"{made.name} 1.2"
    assert said in problem.what
    assert problem.remedy == "Update it; its author runs `channelome pack sync`."
    assert registry.diagnose() == [problem]


@pytest.mark.parametrize(("before", "after", "said"), CHANGES, ids=[after for _, after, _ in CHANGES])
def test_code_that_was_changed_without_a_sync_is_seen_and_does_not_load_in_strict(
    made: Made, before: str, after: str, said: str
):
    made.change(made.code, before, after)
    registry = made.registry()
    made.load(registry, "IK")  # another class of the pack: what has been imported with it is compared too
    (problem,) = registry.problems
    assert said in problem.what
    strict = made.registry(CHANNELOME_STRICT="1")
    for _ in range(2):
        with pytest.raises(PackError, match=r"is not what its code says.*\(CHANNELOME_STRICT is set\)"):
            made.load(strict)


@pytest.mark.parametrize(
    ("before", "after"),
    [("# the end", "# another end"), ('"""Sodium', '"""Fast sodium'), ("        return", "\n        return"), ("2.0, source=", "2.0,  source=")],
    ids=["a comment", "words", "a blank line", "a space outside of the equations"],
)  # fmt: skip
def test_words_and_blanks_are_no_difference(made: Made, before: str, after: str):
    made.change(made.code, "SCALE = 1.0", "SCALE = 1.0  # the end")
    registry = made.change(made.code, before, after).registry(CHANNELOME_STRICT="1")
    made.load(registry)
    assert registry.problems == ()


def test_what_a_manifest_leaves_out_is_no_lie(made: Made):
    made.manifest.write_text(
        f'schema = 1\napi = "1.0"\nfamily = "{made.family}"\n' + channel_table(f"INa_{made.family}", made.package)
    )
    registry = made.registry(CHANNELOME_STRICT="1")
    made.load(registry)
    assert registry.problems == ()


def test_a_pack_without_sources_is_told_that_it_cannot_be_compared(made: Made):
    import py_compile

    py_compile.compile(str(made.code), cfile=str(made.code.with_suffix(".pyc")))
    made.code.unlink()
    registry = made.registry()
    made.load(registry)
    (problem,) = registry.problems
    assert "its equations are not there to compare with" in problem.what


# ---- provenance ----


def test_provenance_is_that_of_the_code(made: Made):
    registry = made.registry()
    entry = registry.find(f"INa_{made.family}")
    saved = {"provenance": block(registry, [entry])}
    assert changes(registry, saved) == []
    other = made.change(made.code, "SCALE = 1.0", "SCALE = 100.0").registry()
    assert changes(other, saved) == [f"INa_{made.family}@1: its equations, gates or ions are others"]
    assert block(other, [entry]) != saved["provenance"]
    other = made.change(made.code, "param(1.0,", "param(3.0,").registry()
    assert changes(other, saved) == [f"INa_{made.family}@1: its parameters or their defaults are others"]


def test_a_run_says_whose_code_is_not_that_of_its_manifest(made: Made):
    from channelome.registry.provenance import About, of_run

    registry = made.registry()
    same = of_run(registry, About(), [made.load(registry)])
    assert [key for key in same if key.startswith("changed")] == []
    found: set[str] = set()
    for value in ("10.0", "100.0"):
        made.change(made.code, "SCALE = 1", f"SCALE = {value} * 1")
        registry = made.registry()
        found.add(of_run(registry, About(), [made.load(registry)])[f"changed INa_{made.family}@1"])
    assert len(found) == 2  # two changes are told apart
    assert all(said.startswith("digest ") for said in found)


# ---- what an entry names ----


@pytest.mark.parametrize(
    ("kind", "where", "said"),
    [
        ("channel", "os:system", "it names os:system, which is not of that pack: its code must lie in {package}"),
        ("channel", "{package}:system", "{package}:system is no class of the kind 'channel'"),
        ("channel", "{package}:Pool_{family}", "is no class of the kind 'channel'"),
        ("ion", "{package}:INa_{family}", "is no class of the kind 'ion'"),
        ("synapse", "{package}:INa_{family}", "is no class of the kind 'synapse'"),
        ("solver", "{package}:INa_{family}", "is no solver: an object with start, step, voltage, state"),
        ("channel", "{package}:Ohmic", "names channelome.mechanisms.channels:Ohmic, which is not of that pack"),
        ("channel", "channelome.mechanisms.leak:IL", "which is not of that pack"),
        ("channel", "{package}:IL", "names channelome.mechanisms.leak:IL, which is not of that pack"),
        ("channel", ":system", "which is not of that pack"),
    ],
)  # fmt: skip
def test_what_an_entry_names_is_of_its_kind_and_of_its_pack(made: Made, kind: str, where: str, said: str):
    made.code.write_text(made.code.read_text() + "\nfrom os import system\nfrom channelome.mechanisms.leak import IL\n")
    fill = {"package": made.package, "family": made.family}
    made.manifest.write_text(
        f'schema = 1\napi = "1.0"\nfamily = "{made.family}"\n'
        f'[{kind}.X_{made.family}]\nobject = "{where.format(**fill)}"\n'
    )
    registry = made.registry()
    with pytest.raises(PackError, match=rf"(?s)'X_{made.family}' is offered by {made.name} 1.2") as caught:
        made.load(registry, "X")
    assert said.format(**fill) in str(caught.value)
    (problem,) = registry.diagnose()
    assert said.format(**fill) in problem.what


def test_nothing_of_another_distribution_is_imported_by_an_entry(tmp_path: Path):
    (tmp_path / "bystander.py").write_text("print('imported')\n")
    make_pack(tmp_path, "pack-reach", "Reach1", tables=channel_table("INa_Reach1", "bystander"))
    code = (
        "from channelome.registry import registry\ntry:\n    registry.load('INa_Reach1')\n"
        "except ImportError as error:\n    print(error)"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    out = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "imported" not in out.stdout.split("\n")
    assert "it names bystander:INa_Reach1, which is not of that pack: its code must lie in pack_reach" in out.stdout


def test_a_distribution_may_keep_its_code_in_a_second_package_of_its_own(made: Made):
    inner = made.site / "second_of_agree"
    inner.mkdir()
    (inner / "__init__.py").write_text(CODE.replace("{family}", made.family))
    record = made.site / f"{made.package}-1.2.dist-info" / "RECORD"
    record.write_text(f"{made.package}/__init__.py,,\nsecond_of_agree/__init__.py,,\n")
    made.change(made.manifest, f'"{made.package}:INa', '"second_of_agree:INa')
    assert made.load(made.registry()).__module__ == "second_of_agree"
    sys.modules.pop("second_of_agree")


def test_doctor_sees_the_code_of_a_pack(tmp_path: Path):
    make_pack(tmp_path, "pack-doctor", "Doctor1", tables=channel_table("INa_Doctor1", "pack_doctor") + (
        "[channel.INa_Doctor1.parameters.g_max]\ndefault = 999.0\nunit = 'mV'\n"
    ))  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", "from channelome.cli import main; main()", "doctor", "--json"]
    out = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert out.returncode == 1
    (problem,) = json.loads(out.stdout)["problems"]
    assert problem["distribution"] == "pack-doctor 1.2"
    assert "'INa_Doctor1': g_max is 999.0 mV there, 1.0 mS/cm^2 in the code" in problem["what"]
