"""The synapses and spikes of `deliveries.py`; NumPy alone, so that a peer's environment can import it."""

import numpy as np

N, INPUTS, STEPS = 4_000, 80, 480


def edges() -> tuple[np.ndarray, np.ndarray]:
    """Synapses of each source, and their targets in the order of sources."""
    rng = np.random.default_rng(0)
    targets = np.sort(rng.integers(0, N, (N, INPUTS)), axis=1).astype(np.int32)
    return np.full(N, INPUTS), targets.ravel()


def spiking(per_step: int) -> np.ndarray:
    """Who spikes, a row for each step."""
    rng = np.random.default_rng(1)
    flags = np.zeros((STEPS, N), bool)
    for row in flags:
        row[rng.choice(N, per_step, replace=False)] = True
    return flags
