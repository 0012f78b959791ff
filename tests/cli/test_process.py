"""The commands in processes of their own: what they import, what they cost, how they end."""

import json
import os
import subprocess
import sys

import pytest

resource = pytest.importorskip("resource")  # not on Windows


def channelome(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from channelome.cli import main; sys.argv[0] = 'channelome'; main()"
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, check=False)


@pytest.mark.parametrize(
    "arguments", [["list"], ["show", "INa_HH1952"], ["show", "SquidAxon_HH1952", "--json"], ["--help"]]
)
def test_reading_commands_import_neither_jax_nor_a_pack(arguments):
    code = (
        "import sys; from channelome.cli import main\n"
        f"main({arguments!r}, standalone_mode=False)\n"
        "print(*(m for m in sys.modules if m.split('.')[0] in "
        "('jax', 'jaxlib', 'numpy', 'brainunit', 'matplotlib', 'rich', 'lark') or m.startswith('channelome_')), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.split() == []
    assert done.stdout


def test_list_costs_less_than_200_ms_of_processor_time():
    def cost() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert channelome("list").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(cost() for _ in range(5)) < 0.2


def test_an_error_is_one_line_and_exit_code_2():
    done = channelome("show", "INa_TM1992")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: no installed pack provides 'INa_TM1992'.")
    assert done.stderr.count("\n") == 1


def test_a_pack_can_be_switched_off():
    done = channelome("list", "--json", CHANNELOME_DISABLE_PACKS="TM1991")
    names = {entry["name"] for entry in json.loads(done.stdout)}
    assert "INa_HH1952" in names
    assert "INa_TM1991" not in names


def test_a_missing_pack_is_named():
    done = channelome("plot", "INa_TM1991", CHANNELOME_PACKS="HH1952")
    assert done.returncode == 2
    assert "leaves it out" in done.stderr
