"""An environment with every kind of broken pack in it, seen from outside: listing works and is quick, `doctor` names each, use raises."""

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from registry.packs import make_pack

LISTING = 0.2
"""CPU seconds that `channelome list` may take, with the start of Python."""
PROBLEMS = {
    "pack-first 1.2": "it claims the family 'Twice1', which pack-second 1.2 claims too",
    "pack-second 1.2": "it claims the family 'Twice1', which pack-first 1.2 claims too",
    "pack-future 1.2": "pack.toml is incompatible: it needs API 2.0, this channelome has 1.0; update channelome",
    "pack-broken 1.2": "RuntimeError: no such luck",
    "pack-no-library 1.2": "No module named 'a_library_that_nobody_has'",
    "plug-broken 1.2": "its plugin 'plug-broken' cannot be loaded: ZeroDivisionError",
}
USE = {
    "INa_Twice1": "CollisionError: 'INa_Twice1' is claimed by pack-first 1.2 and pack-second 1.2",
    "INa_Future1": "A pack that may is broken: pack-future 1.2: pack.toml is incompatible: it needs API 2.0",
    "INa_Broken1": "'INa_Broken1' is offered by pack-broken 1.2, but loading it from .*__init__.py:1 failed: RuntimeError: no such luck",
    "INa_Needy1": "offered by pack-no-library 1.2, but .*ModuleNotFoundError: No module named 'a_library_that_nobody_has'",
    "INa_Sound1": "",
    "INa_Plug1": "",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    make_pack(site, "pack-first", "Twice1")
    make_pack(site, "pack-second", "Twice1")
    make_pack(site, "pack-future", "Future1", api="2.0")
    make_pack(site, "pack-broken", "Broken1", code="raise RuntimeError('no such luck')\n")
    make_pack(site, "pack-no-library", "Needy1", code="import a_library_that_nobody_has\n")
    make_pack(site, "pack-sound", "Sound1")
    make_pack(site, "plug-broken", "Plug1", plugin="hooks_that_fail")
    (site / "hooks_that_fail.py").write_text("1 / 0  # channelome_model_built, channelome_commands\n")
    return site


def run(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(site)}
    return subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True)


def test_listing_works_and_is_quick(site: Path):
    seconds: list[float] = []
    for _ in range(3):  # the first writes bytecode, and may wait for the disk
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = run(site, "-c", "from channelome.cli import main; main()", "list")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert out.returncode == 0, out.stderr
    for name in ("INa_Sound1", "INa_Broken1", "INa_Needy1", "INa_Twice1", "INa_TM1991"):
        assert f"\n{name} " in out.stdout
    assert "INa_Future1" not in out.stdout
    assert min(seconds) < LISTING, seconds


def test_listing_imports_no_jax_and_no_plugin(site: Path):
    code = (
        "import sys\nfrom channelome.cli import main\nmain(['list'], standalone_mode=False)\n"
        "print([m for m in ('jax', 'numpy', 'brainunit', 'pluggy', 'hooks_that_fail', 'channelome_diffrax') if m in sys.modules])"
    )
    assert run(site, "-c", code).stdout.strip().splitlines()[-1] == "[]"


def test_doctor_names_each_and_its_cause(site: Path):
    out = run(site, "-c", "from channelome.cli import main; main()", "doctor", "--json")
    assert out.returncode == 1, out.stderr
    said = {problem["distribution"]: problem for problem in json.loads(out.stdout)["problems"]}
    assert set(said) == set(PROBLEMS)
    for distribution, cause in PROBLEMS.items():
        assert cause in said[distribution]["what"]
        assert said[distribution]["remedy"]


def test_use_raises_the_cause_and_leaves_the_others(site: Path):
    code = (
        "import json, channelome as ch\nsaid = {}\n"
        f"for name in {list(USE)!r}:\n"
        "    try:\n        ch.channel(name); said[name] = ''\n"
        "    except Exception as error:\n        said[name] = f'{type(error).__name__}: {error}'\n"
        "print(json.dumps(said))"
    )
    out = run(site, "-c", code)
    assert out.returncode == 0, out.stderr
    said = json.loads(out.stdout)
    for name, cause in USE.items():
        assert re.search(cause, said[name]) if cause else said[name] == "", said[name]
