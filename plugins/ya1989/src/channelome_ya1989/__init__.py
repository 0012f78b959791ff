"""The M current, after Yamada, Koch & Adams (1989)."""

from .potassium import IKNI_Ya1989 as IKNI_Ya1989
