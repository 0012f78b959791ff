"""Calcium current of neocortical pyramidal cells, after Reuveni et al. (1993)."""

from .calcium import ICaHT_Re1993 as ICaHT_Re1993
