"""A sweep of 10,000 cells over two conductances: on one core, on all cores, on a Dask cluster.

    python docs/examples/sweep.py [CELLS]

A batch is one population whose parameters are arrays: cells of a batch share a program and the processor's vectors. Batches go to
processes; a batch whose process died is run again.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

import numpy as np

import channelome as ch

BATCH = 1000
TRIES = 3


def parameters(cells: int) -> np.ndarray:
    """Sodium and potassium conductances in mS/cm^2, of shape (cells, 2)."""
    rng = np.random.default_rng(0)
    return rng.uniform((60, 10), (140, 50), (cells, 2))


def batches(cells: int) -> list[ch.SingleCompartment]:
    """The sweep as populations of at most `BATCH` cells; they travel as they are."""
    neuron = ch.cell("PointNeuron_Brette2007", size=1)
    parts = np.array_split(parameters(cells), max(1, cells // BATCH))
    return [
        ch.SingleCompartment(
            len(g), *neuron.ions.values(), C=(neuron.C, "uF/cm^2"), V_th="0 mV",
            INa=neuron.channels["INa"].replace(g_max=(g[:, 0], "mS/cm^2")),
            IK=neuron.channels["IK"].replace(g_max=(g[:, 1], "mS/cm^2")), IL=neuron.channels["IL"],
        )
        for g in parts
    ]  # fmt: skip


def rates(cells: ch.SingleCompartment) -> np.ndarray:
    """What a worker does with a batch: the firing rate of each cell in Hz, over 500 ms at 2 uA/cm^2."""
    run = ch.simulate(cells, "500 ms", dt="0.1 ms", stimulus="2 uA/cm^2", record="spikes", every=50, progress=False)
    assert run.spikes is not None
    return run.spikes.rates("500 ms")


def on_one_core(work: Iterable[Any], run: Callable[[Any], np.ndarray] = rates) -> np.ndarray:
    """One batch after another."""
    return np.concatenate([run(batch) for batch in work])


def alone() -> None:
    """In a process of its own JAX need not share a step out among threads: said before it starts."""
    os.environ.setdefault("PJRT_NPROC", "1")


def on_all_cores(work: list[Any], run: Callable[[Any], np.ndarray] = rates, workers: int | None = None) -> np.ndarray:
    """Batches in processes of their own. JAX has threads, so processes are spawned, not forked.

    A process that dies takes its pool with it: what it leaves undone goes to the next pool.
    """
    done: dict[int, np.ndarray] = {}
    for _ in range(TRIES):
        left = [k for k in range(len(work)) if k not in done]
        if not left:
            break
        with ProcessPoolExecutor(workers or os.cpu_count(), get_context("spawn"), initializer=alone) as pool:
            running: dict[int, Future[np.ndarray]] = {}
            with contextlib.suppress(BrokenProcessPool):
                for k in left:
                    running[k] = pool.submit(run, work[k])
            for k, future in running.items():
                with contextlib.suppress(BrokenProcessPool):
                    done[k] = future.result()
    missing = [k for k in range(len(work)) if k not in done]
    if missing:
        raise RuntimeError(
            f"batches {missing} were lost {TRIES} times: does one of them need more memory than there is?"
        )
    return np.concatenate([done[k] for k in range(len(work))])


def on_a_cluster(client: Any, work: list[Any], run: Callable[[Any], np.ndarray] = rates) -> np.ndarray:
    """Batches on the workers of a Dask client; what a dead worker held is run by another."""
    return np.concatenate(client.gather(client.map(run, work, retries=TRIES, pure=False)))


def main(cells: int) -> None:
    work = batches(cells)
    ways: dict[str, Callable[[], np.ndarray]] = {
        "one core": lambda: on_one_core(work),
        "all cores": lambda: on_all_cores(work),
    }
    try:
        from dask.distributed import Client, LocalCluster

        cluster = LocalCluster(
            n_workers=os.cpu_count(), threads_per_worker=1, dashboard_address=None, env={"PJRT_NPROC": "1"}
        )
        client = Client(cluster)
        ways["a Dask cluster"] = lambda: on_a_cluster(client, work)
    except ImportError:
        cluster = client = None
        print('without Dask: pip install "channelome[dask]"')
    found = []
    for name, way in ways.items():
        for number in ("first", "second"):
            began = time.perf_counter()
            found.append(way())
            seconds = time.perf_counter() - began
            print(f"{name}, {number}: {cells:,} cells in {seconds:.2f} s, {cells / seconds:,.0f} cells/s")
    assert all(np.array_equal(x, found[0]) for x in found)
    if client is not None and cluster is not None:
        client.close()
        cluster.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
