"""The sweep of docs/examples: the same on one core, on all, on a cluster, and whole where a worker died."""

import importlib
import os
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[1] / "docs/examples"


def dies_once(given: tuple[str, int]) -> np.ndarray:
    """A worker that is gone the first time that it sees batch 1."""
    folder, k = given
    mark = Path(folder) / "died"
    if k == 1 and not mark.exists():
        mark.touch()
        os._exit(1)
    return np.asarray([k])


def dies_always(given: tuple[str, int]) -> np.ndarray:
    os._exit(1)


@pytest.fixture
def sweep(monkeypatch: pytest.MonkeyPatch):
    """With batches of 20, and importable by the workers that are spawned."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    module = importlib.import_module("sweep")
    monkeypatch.setattr(module, "BATCH", 20)
    return module


@pytest.mark.slow
def test_a_sweep_is_the_same_on_one_core_and_on_all(sweep) -> None:
    import jax

    with jax.enable_x64(False):
        work = sweep.batches(40)
        here = sweep.on_one_core(work)
    assert here.shape == (40,) and np.unique(here).size > 3 and len(work) == 2
    assert np.array_equal(sweep.on_all_cores(work, workers=2), here)


@pytest.mark.slow
def test_a_batch_whose_process_died_is_run_again(sweep, tmp_path) -> None:
    work = [(str(tmp_path), k) for k in range(4)]
    assert sweep.on_all_cores(work, dies_once, workers=2).tolist() == [0, 1, 2, 3]
    with pytest.raises(RuntimeError, match=r"batches \[0\] were lost 3 times"):
        sweep.on_all_cores(work[:1], dies_always, workers=1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Dask's own
def test_a_batch_whose_dask_worker_died_is_run_by_another(sweep, tmp_path) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        work = [(str(tmp_path), k) for k in range(4)]
        assert sweep.on_a_cluster(client, work, dies_once).tolist() == [0, 1, 2, 3]
