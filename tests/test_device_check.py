"""The prepared check of an accelerator runs: all of it, dry, on a processor that takes what is chosen for accelerators."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.thorough  # run it before a device is asked for
def test_every_part_of_the_check_runs_and_what_accelerators_compute_is_right(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHON": sys.executable, "JAX_PLATFORMS": "cpu"}
    words = [ROOT / "benchmarks/device.sh", "--dry", "--out", tmp_path]
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["about"]["device"]["platform"] == "gpu"  # so it says, and channelome believes it
    parts = found["lanes"]["device"]
    assert list(parts) == [
        "card",
        "tests",
        "agreement",
        "neurons",
        "networks",
        "cables",
        "sweep",
        "compiling",
        "delivery",
        "peers",
    ]
    for name, part in parts.items():
        assert part["rows"], name
        assert "word" not in part and part["seconds"] > 0
    assert {row["what"]: row["failed"] for row in parts["agreement"]["rows"] if "tolerance" in row} == {
        f"{case}, {precision}": []
        for case in ("COBAHH", "a reconstructed cell")
        for precision in ("float64", "float32")
    }
    page = (tmp_path / "RESULTS-gpu.md").read_text()
    assert "A dry run" in page and "## Reconstructed cells" in page


def test_what_has_no_time_left_is_left_out_with_a_word_and_what_fails_is_named(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHON": sys.executable}
    words = [ROOT / "benchmarks/device.sh", "--dry", "--out", tmp_path, "--seconds", "1", "--only", "card,sweep"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    found = json.loads((tmp_path / "results.json").read_text())
    assert {part: of["word"] for part, of in found["lanes"]["device"].items()} == dict.fromkeys(
        ("card", "sweep"), "left out: the time of the whole is over"
    )
    assert done.returncode and "device, card: left out" in done.stderr
    assert "left out" in (tmp_path / "RESULTS-gpu.md").read_text()
