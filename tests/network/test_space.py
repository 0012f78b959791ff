"""Positions, connections by distance, and weights and delays that go by it."""

import numpy as np
import pytest

import channelome as ch


def cells(size) -> ch.SingleCompartment:
    return ch.SingleCompartment(size, IL="IL", area="1000 um^2")


def net(a, b=None, positions=None, *, rule, seed=0, **given) -> ch.Network:
    parts = {"a": cells(a)} | ({} if b is None else {"b": cells(b)})
    path = ch.Projection("a", "a" if b is None else "b", "Expon", rule, **{"weight": "1 nS"} | given)
    return ch.Network(seed=seed, positions=positions, **parts, p=path)


def grid_points(size, spacing, centre=0.0):
    index = np.stack([x.ravel() for x in np.indices(size)], -1)
    return (index - (np.asarray(size) - 1) / 2) * spacing + centre


def apart(x, y, period=None):
    between = x[:, None] - y[None]
    if period is not None:
        between = (between + period / 2) % period - period / 2
    return np.sqrt(np.sum(between**2, axis=-1))


def connected(made: ch.Network, n_pre: int, n_post: int) -> np.ndarray:
    edges = made["p"].edges
    found = np.zeros((n_pre, n_post), bool)
    found[edges.sources, edges.targets] = True
    assert found.sum() == edges.sources.size
    return found


def check(found, d, chance, self_free=False):
    """The share of pairs at each distance beside the kernel, each within 4.5 standard errors."""
    if self_free:
        assert not found.diagonal().any()
        found, d = found[~np.eye(len(found), dtype=bool)], d[~np.eye(len(d), dtype=bool)]
    for low, high in zip(*(np.quantile(d, q) for q in ((0, 0.02, 0.1, 0.3), (0.02, 0.1, 0.3, 1))), strict=True):
        here = (d >= low) & (d < high + 1e-9)
        p = chance(d[here])
        assert abs(found[here].sum() - p.sum()) < 4.5 * np.sqrt(np.sum(p * (1 - p))) + 1e-3, (low, high)


KERNELS = {
    "gaussian": lambda d, s: np.exp(-(d**2) / (2 * s**2)),
    "exponential": lambda d, s: np.exp(-d / s),
    "linear": lambda d, s: np.maximum(1 - d / s, 0),
}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("periodic", [False, True])
def test_kernels_on_a_sheet(kernel, periodic):
    made = net((18, 24), rule=ch.distance_dependent(0.7, sigma=4.0, kernel=kernel, periodic=periodic))
    x = grid_points((18, 24), 1.0)
    d = apart(x, x, np.array([18, 24]) if periodic else None)
    check(connected(made, 432, 432), d, lambda d: 0.7 * KERNELS[kernel](d, 4.0), self_free=True)


@pytest.mark.parametrize(("size", "sigma"), [(300, 9.0), ((6, 7, 8), 1.7)])
def test_kernels_on_a_line_and_in_space(size, sigma):
    made = net(size, rule=ch.distance_dependent(0.9, sigma=sigma))
    x = grid_points(np.atleast_1d(size), 1.0)
    check(
        connected(made, len(x), len(x)), apart(x, x), lambda d: 0.9 * np.exp(-(d**2) / (2 * sigma**2)), self_free=True
    )


def test_a_sheet_onto_a_coarser_one_of_the_same_extent():
    """20 x 20 onto 10 x 10 connected one corner."""
    made = net(
        (20, 20),
        (10, 10),
        {"a": ch.grid(spacing="50 um"), "b": ch.grid(extent="1 mm")},
        rule=ch.distance_dependent(0.8, sigma="150 um"),
    )
    d = apart(grid_points((20, 20), 50.0), grid_points((10, 10), 100.0))
    found = connected(made, 400, 100)
    check(found, d, lambda d: 0.8 * np.exp(-(d**2) / (2 * 150**2)))
    corners = found.reshape(400, 10, 10)[:, [0, 0, -1, -1], [0, -1, 0, -1]].sum(axis=0)
    assert corners.min() > 15


def test_grids_may_be_moved_and_stretched_by_axis():
    made = net((10, 30), 60, {"a": ch.grid(spacing=("30 um", "10 um"), centre=("100 um", "0 um")), "b": (np.c_[np.full(60, 100.0), np.linspace(-200, 200, 60)], "um")},
               rule=ch.distance_dependent(1.0, sigma="40 um", kernel="exponential"))  # fmt: skip
    x, y = grid_points((10, 30), (30.0, 10.0), (100.0, 0.0)), np.c_[np.full(60, 100.0), np.linspace(-200, 200, 60)]
    check(connected(made, 300, 60), apart(x, y), lambda d: np.exp(-d / 40))


def test_coordinates_of_ones_own_with_a_period():
    rng = np.random.default_rng(4)
    x, y = rng.uniform(0, 1000, (250, 2)), rng.uniform(-5000, 5000, (200, 2))
    rule = ch.distance_dependent(0.6, sigma="120 um", periodic=("1 mm", "0.5 mm"))
    made = net(250, 200, {"a": (x, "um"), "b": (y, "um")}, rule=rule)
    check(
        connected(made, 250, 200),
        apart(x, y, np.array([1000.0, 500.0])),
        lambda d: 0.6 * np.exp(-(d**2) / (2 * 120**2)),
    )


def test_a_kernel_of_ones_own_may_rise_and_fall():
    def ring(d):
        return np.exp(-((d - 6) ** 2) / 2)

    made = net((20, 20), rule=ch.distance_dependent(0.5, kernel=ring, reach=9.0))
    x = grid_points((20, 20), 1.0)
    check(connected(made, 400, 400), apart(x, x), lambda d: np.where(d <= 9, 0.5 * ring(d), 0), self_free=True)
    with pytest.raises(ch.ModelError, match="a share from 0 to 1"):
        net(20, rule=ch.distance_dependent(0.5, kernel=lambda d: 2 + d, reach=9.0))


def test_groups_stand_where_their_neurons_do():
    parts = {"a": cells(100), "far": "a[90:]", "near": "a[:10]"}
    p = ch.Projection("near", "far", "Expon", ch.distance_dependent(1.0, sigma=3.0), weight="1 nS")
    with pytest.warns(UserWarning, match="the projection 'p' has no synapse"):
        assert ch.Network(**parts, p=p)["p"].edges.sources.size == 0
    q = ch.Projection("a[80:90]", "far", "Expon", ch.distance_dependent(1.0, sigma=3.0), weight="1 nS")
    d = np.arange(90, 100)[None] - np.arange(80, 90)[:, None]
    p = np.exp(-(d**2) / 18)
    found = ch.Network(**parts, q=q)["q"].edges
    assert abs(found.sources.size - p.sum()) < 4.5 * np.sqrt(np.sum(p * (1 - p)))
    assert (found.sources.max(), found.targets.min()) <= (89, 99)


def test_weights_and_delays_by_distance():
    made = net(
        (12, 12), (6, 6), {"a": ch.grid(extent="1 mm"), "b": ch.grid(extent="1 mm")}, rule=ch.distance_dependent(0.8, sigma="200 um"),
        weight=ch.by_distance(lambda d: 2 * np.exp(-d / 300), "nS"), delay=ch.by_distance(lambda d: 0.5 + d / 300, "ms"),
    )  # fmt: skip
    edges = made["p"].edges
    d = apart(grid_points((12, 12), 1000 / 12), grid_points((6, 6), 1000 / 6))[edges.sources, edges.targets]
    assert np.allclose(edges.weights, 2 * np.exp(-d / 300), rtol=1e-12)
    assert np.allclose(edges.delays, 0.5 + d / 300, rtol=1e-12)
    doubled = made.replace(**{"p.weight": ch.by_distance(lambda d: d, "pS"), "p.delay": "2 ms"})["p"].edges
    assert np.allclose(doubled.weights, d * 1e-3)
    assert np.all(doubled.delays == 2)
    other = made.replace(seed=3)["p"].edges
    assert other.sources.size != edges.sources.size
    assert other.weights.size == other.sources.size


def test_what_it_costs_goes_by_the_synapses():
    """19,600 neurons took 9.3 s: pairs that can hardly be connected are not looked at."""
    seen = []

    def kernel(d):
        seen.append(d.size)
        return np.exp(-(d**2) / 18)

    made = net((140, 140), rule=ch.distance_dependent(0.8, kernel=kernel, reach=8.0))
    x, y = np.meshgrid(np.arange(-8, 9), np.arange(-8, 9))
    p = 0.8 * np.exp(-(x**2 + y**2) / 18) * ((x**2 + y**2 <= 64) & (x**2 + y**2 > 0))
    pairs = (140 - np.abs(x)) * (140 - np.abs(y))
    assert abs(made["p"].edges.sources.size - np.sum(pairs * p)) < 4.5 * np.sqrt(np.sum(pairs * p * (1 - p)))
    assert sum(seen) < 19_600 * 19_600 / 60


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: net((20, 20), (10, 10), rule=ch.distance_dependent(0.5, sigma=2)), r"\(20, 20\) and \(10, 10\), and it is not said how they lie"),
        (lambda: net(400, (20, 20), rule=ch.distance_dependent(0.5, sigma=2)), "it is not said how they lie"),
        (lambda: net((20, 20), (5, 5, 5), {"a": ch.grid(spacing="1 um"), "b": ch.grid(spacing="1 um")}, rule=ch.distance_dependent(0.5, sigma="2 um")), "positions of 2 and of 3 axes"),
        (lambda: net(20, None, {"a": ch.grid(spacing="1 um")}, rule=ch.distance_dependent(0.5, sigma=2)), "sigma must be a length, such as '100 um'"),
        (lambda: net(20, rule=ch.distance_dependent(0.5, sigma="2 um")), "sigma must be a number, in grid spacings"),
        (lambda: net(20, None, {"x": ch.grid(spacing="1 um")}, rule=ch.all_to_all()), "positions: there is no population 'x'"),
        (lambda: net(20, None, {"a": (np.zeros((19, 2)), "um")}, rule=ch.all_to_all()), "one row of 1 to 3 coordinates for each of 20"),
        (lambda: net(20, None, {"a": ch.grid(spacing=("1 um", "2 um", "3 um"))}, rule=ch.all_to_all()), "has 3 numbers, but the population has 1 axes"),
        (lambda: net(20, None, {"a": (np.zeros((20, 2)), "um")}, rule=ch.distance_dependent(1, sigma="1 um", periodic=True)), "periodic=True needs grids of one extent"),
        (lambda: ch.grid(), "a spacing or an extent"),
        (lambda: ch.distance_dependent(0.5, sigma=1, kernel="square"), "is one of gaussian, exponential, linear, or a function"),
        (lambda: ch.distance_dependent(0.5, kernel=lambda d: d), "needs reach="),
        (lambda: ch.distance_dependent(0.5), "needs sigma"),
        (lambda: ch.distance_dependent(0.5, sigma="1 um", reach=3), "both lengths, or both in grid spacings"),
        (lambda: ch.by_distance(3, "nS"), "needs a function"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said(make, said):
    with pytest.raises((ch.ModelError, ch.UnitError), match=said):
        make()
