"""Channels of hippocampal pyramidal neurons, after Traub & Miles (1991)."""

from .potassium import IK_TM1991 as IK_TM1991
from .sodium import INa_TM1991 as INa_TM1991
