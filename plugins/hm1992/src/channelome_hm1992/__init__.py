"""Currents of thalamic relay neurons, after Huguenard & McCormick (1992)."""

from .calcium import ICaHT_HM1992 as ICaHT_HM1992
from .calcium import ICaT_HM1992 as ICaT_HM1992
from .mixed_cation import Ih_HM1992 as Ih_HM1992
from .slow_potassium import IKK2A_HM1992 as IKK2A_HM1992
from .slow_potassium import IKK2B_HM1992 as IKK2B_HM1992
from .transient_potassium import IKA1_HM1992 as IKA1_HM1992
from .transient_potassium import IKA2_HM1992 as IKA2_HM1992
