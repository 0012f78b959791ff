"""A network's spikes and records as Neo's objects, which Elephant and other tools of analysis read."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .spikes import SpikeTrains


def to_neo(
    t: np.ndarray,
    data: Mapping[str, np.ndarray],
    units: Mapping[str, str],
    spikes: Mapping[str, SpikeTrains],
    provenance: Mapping[str, str],
) -> Any:
    """A `neo.Block` with one segment.

    Each neuron of each population and group has a ``SpikeTrain``, annotated with ``population`` and ``neuron``; each record an
    ``AnalogSignal`` with a channel per neuron, named as it was recorded. `provenance` goes into the block's annotations.

    Raises:
        ImportError: without neo.
    """
    try:
        import neo
        import quantities as pq
    except ImportError as error:
        raise ImportError('to_neo() needs Neo: pip install "channelome[neo]"') from error
    segment = neo.Segment(name="run")
    begin, end = float(t[0]) * pq.ms, float(t[-1]) * pq.ms
    for name, trains in spikes.items():
        order = np.lexsort((trains.times, trains.neurons))
        n = int(np.prod(trains.size))
        # a spike stands at the end of a step, which may lie a rounding error past the run's
        times = np.clip(trains.times[order], t[0], t[-1])
        each = np.split(times, np.searchsorted(trains.neurons[order], np.arange(1, n)))
        segment.spiketrains.extend(
            [
                neo.SpikeTrain(
                    own, units="ms", t_start=begin, t_stop=end, name=f"{name}[{k}]", population=name, neuron=k
                )
                for k, own in enumerate(each)
            ]
        )
    period = (float(t[-1] - t[0]) / max(len(t) - 1, 1)) * pq.ms
    for name, values in data.items():
        unit = "dimensionless" if units[name] == "1" else units[name].replace("^", "**")
        flat = np.asarray(values).reshape(len(t), -1)
        segment.analogsignals.append(
            neo.AnalogSignal(flat, units=unit, sampling_period=period, t_start=begin, name=name)
        )
    block = neo.Block(name="channelome", **{key.replace(" ", "_"): value for key, value in provenance.items()})
    block.segments.append(segment)
    return block
