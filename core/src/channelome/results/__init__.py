"""What a run returns: traces, activity, spikes; kept in files, handed to other tools, drawn."""

from .activity import Activity as Activity
from .spikes import SpikeTrains as SpikeTrains
from .spikes import crossings as crossings
from .traces import Traces as Traces
