"""Slow calcium-activated potassium current of thalamic reticular cells: Destexhe et al. (1994), doi:10.1152/jn.1994.72.2.803."""

from typing import Annotated, Any

from channelome.authoring import Array, Conductance, Factor, IonView, Ohmic, Rate, Rates, Unit, param, rates


class IAHP_De1994(Ohmic, ion="k"):
    """Slow calcium-activated potassium current (AHP) of thalamic reticular cells.

    ``closed + n Ca <-> open``: it reads calcium and is carried by potassium alone. Half of the gates are open at
    ``(beta/alpha)^(1/n)``, 0.025 mM, as in the authors' IAHP.mod (ModelDB 3670), where beta is 0.03 /ms and alpha thereby
    48 /(ms mM^2). BrainPy quotes 0.03 and computes with 0.09, and braincell does the same. The unit of `alpha` is that of n = 2.
    IAHP.mod has ``phi = Q10(3, 22)``, and keeps the time constant above 0.1 ms, which tells beyond 0.2 mM at 36 degC.
    """

    g_max: Conductance = param(10.0, source="De1994, IAHP.mod")
    alpha: Annotated[Any, Unit.parse("1/(ms*mM^2)")] = param(48.0, source="De1994, IAHP.mod")
    beta: Rate = param(0.03, source="De1994, IAHP.mod")
    n: Factor = param(2.0, source="De1994, IAHP.mod")
    phi: Factor = param(1.0, source="BrainPy 2.8.2")

    def p(self, ca: IonView) -> Rates:
        return rates(alpha=self.alpha * ca.C_in**self.n, beta=self.beta, phi=self.phi)

    def conductance(self, p: Array) -> Array:
        return self.g_max * p**2
