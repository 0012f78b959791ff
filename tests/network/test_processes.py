"""Two processes on one machine through `jax.distributed` give what one gives, to the last bit."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).with_name("two_processes.py")


def test_two_processes_run_what_one_runs(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {key: value for key, value in os.environ.items() if key != "XLA_FLAGS"} | {"JAX_PLATFORMS": "cpu"}
    running = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(port), str(rank), str(tmp_path / f"{rank}.npz")],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for rank in (0, 1, -1)
    ]  # fmt: skip
    for process in running:
        printed, _ = process.communicate(timeout=300)
        assert process.returncode == 0, printed
    alone = np.load(tmp_path / "-1.npz")
    assert alone["times"].size > 100
    for rank in (0, 1):
        together = np.load(tmp_path / f"{rank}.npz")
        for name in ("V", "times", "neurons"):
            assert np.array_equal(together[name], alone[name]), (rank, name)
