"""The T current of thalamic reticular neurons, after Huguenard & Prince (1992)."""

from .calcium import ICaT_HP1992 as ICaT_HP1992
