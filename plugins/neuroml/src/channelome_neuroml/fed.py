# pyright: basic
# (states are held by name, in arrays of JAX)
"""An imported concentration model beside jLEMS: its concentration while currents flow in, and as it returns to rest.

jLEMS takes explicit Euler steps. So does this, of the rate of change of the class: what is left is what the two make of the file.
"""

import jax
import jax.numpy as jnp
import numpy as np

from channelome.mechanisms.ions import Ion

from .document import Document, Texts
from .jlems import OUTSIDE, run
from .judged import Comparison
from .load import Imported

AREA, BEGUN, STEP, LENGTH = 700.0, 4e-4, 0.01, 60.0
"""um^2 of the surface, mM that it begins with, ms."""
CURRENTS = (0.0, -0.7, -4.1, -13.0)
"""uA/cm^2, of a cation inward. None empties a pool, whose concentration NeuroML holds at 0."""
_TYPES = """
<ComponentType name="fedCell">
  <Parameter name="inflow" dimension="current"/><Parameter name="area" dimension="area"/>
  <Parameter name="inner" dimension="concentration"/><Parameter name="outer" dimension="concentration"/>
  <ComponentReference name="inside" type="concentrationModel"/>
  <Exposure name="iCa" dimension="current"/><Exposure name="surfaceArea" dimension="area"/><Exposure name="kept" dimension="concentration"/>
  <Exposure name="initialConcentration" dimension="concentration"/><Exposure name="initialExtConcentration" dimension="concentration"/>
  <Dynamics>
    <DerivedVariable name="iCa" exposure="iCa" dimension="current" value="inflow"/>
    <DerivedVariable name="surfaceArea" exposure="surfaceArea" dimension="area" value="area"/>
    <DerivedVariable name="initialConcentration" exposure="initialConcentration" dimension="concentration" value="inner"/>
    <DerivedVariable name="initialExtConcentration" exposure="initialExtConcentration" dimension="concentration" value="outer"/>
    <DerivedVariable name="kept" exposure="kept" dimension="concentration" select="inside/concentration"/>
  </Dynamics>
  <Structure><ChildInstance component="inside"/></Structure>
</ComponentType>
<ComponentType name="bench"><Children name="cells" type="fedCell"/></ComponentType>
"""


def ask(texts: Texts, id: str, python: str) -> tuple[np.ndarray, str]:
    """mM of a concentration model at each step of jLEMS, a column for each of `CURRENTS`, and jNeuroML's version."""
    cells = "".join(
        f'<fedCell id="c{i}" inflow="{-1e-5 * current * AREA:.12g} nA" area="{AREA} um2" inner="{BEGUN} mM" outer="{OUTSIDE} mM" inside="{id}"/>'
        for i, current in enumerate(CURRENTS)
    )
    columns = [f"c{i}/kept" for i in range(len(CURRENTS))]
    return run(texts, f'{_TYPES}<bench id="all">{cells}</bench>', columns, python, STEP, LENGTH)


def compare(document: Document, one: Imported, python: str) -> Comparison:
    """Ask jLEMS about a concentration model of a document, and compare.

    Raises:
        ModelError: where jNeuroML or Java is not there, or cannot run the file.
    """
    return judged(one.cls, *ask(document.texts, one.plan.meaning.name, python))


def judged(cls: type[Ion], theirs: np.ndarray, version: str) -> Comparison:
    """Our concentrations beside those of jLEMS, of shape (rows, currents), in mM."""
    with jax.enable_x64(True):
        ours = followed(cls, len(theirs))

    def where(row: int, column: int) -> str:
        return f"{row * STEP:.4g} ms after the begin of {CURRENTS[column]:g} uA/cm^2"

    return Comparison.of(ours, theirs, "mM", version, where)


def followed(cls: type[Ion], rows: int) -> np.ndarray:
    """Our concentrations by explicit steps, of shape (rows, currents)."""
    known = {"C_rest": (BEGUN, "mM"), "C_out": (OUTSIDE, "mM"), "area": (AREA, "um^2")}
    ion, current = (
        cls(**{name: value for name, value in known.items() if name in cls.parameters}),
        jnp.asarray(CURRENTS),
    )
    start = {name: jnp.broadcast_to(jnp.asarray(x, float), current.shape) for name, x in ion.initial().items()}

    def step(states, _):
        change = ion.slope(states, current)
        return {name: x + STEP * change[name] for name, x in states.items()}, states["C_in"]

    return np.asarray(jax.lax.scan(step, start, length=rows)[1])
