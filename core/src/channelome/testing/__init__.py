"""The conformance kit: what every channel, ion, solver, cell and pack must do, as functions, as pytest cases, as a command.

``check_channel("INa_TM1991")`` gives a `Report`; ``class TestPack(PackTests): pack = "channelome-tm1991"`` is a pack's whole
test file; ``channelome check`` is for the terminal.
"""

from typing import TYPE_CHECKING, Any

from .conformance import check_cell as check_cell
from .conformance import check_channel as check_channel
from .conformance import check_ion as check_ion
from .conformance import check_pack as check_pack
from .conformance import check_solver as check_solver
from .conformance import check_synapse as check_synapse
from .golden import check_golden as check_golden
from .report import Finding as Finding
from .report import Report as Report

if TYPE_CHECKING:
    from .suite import PackTests as PackTests


def __getattr__(name: str) -> Any:
    if name == "PackTests":  # pytest is not there where packs are only used
        from .suite import PackTests

        return PackTests
    raise AttributeError(f"module 'channelome.testing' has no attribute '{name}'")
