"""Networks as they are described: populations, projections, who connects to whom. The engine runs them."""

from .connect import all_to_all as all_to_all
from .connect import fixed_indegree as fixed_indegree
from .connect import fixed_outdegree as fixed_outdegree
from .connect import fixed_probability as fixed_probability
from .connect import fixed_total_number as fixed_total_number
from .connect import from_arrays as from_arrays
from .connect import from_matrix as from_matrix
from .connect import one_to_one as one_to_one
from .distance import distance_dependent as distance_dependent
from .network import Network as Network
from .projection import Projection as Projection
from .projection import plasticity as plasticity
from .projection import synapse as synapse
from .sources import Poisson as Poisson
from .sources import SpikeSource as SpikeSource
from .space import grid as grid
