"""float64 and strict promotion, so that this pack's tests also run away from the workspace."""

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")
