"""Cells and networks as data: TOML or JSON, by name, with units. No code, no module path can stand in it.

```toml
schema = 1
kind = "SingleCompartment"
C = { value = 1, unit = "uF/cm^2" }
celsius = { value = 6.3, unit = "degC" }

[ions]
na = { use = "SodiumFixed", E = { value = 50, unit = "mV" } }

[channels]
INa = { use = "INa_HH1952" }
IL = { use = "IL", g_max = { value = 0.3, unit = "mS/cm^2" }, E = { value = -54.387, unit = "mV" } }
```
"""

from .files import cell as cell
from .files import load as load
from .files import network as network
from .files import save as save
