"""Values along a cell by distance: of parts and of the cell itself, and functions that give none; stimuli in lists."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import each_is_named

import channelome as ch

MORPH = ch.Morphology.example()
COMPS = MORPH.discretise(ch.max_length("60 um"))


def build(g_max=ch.by_distance(lambda x: 0.1 + x / 1e4, "mS/cm^2"), where="dend | apical", **given):  # noqa: B008
    leak = ch.on(where, "IL", g_max=g_max, E="-60 mV")
    return ch.MultiCompartment(COMPS, IL=leak, **given)


def test_Ra_C_and_V_by_distance_are_the_arrays_that_they_stand_for():
    by = {
        "Ra": ch.by_distance(lambda x: 80 + x / 4, "ohm*cm"), "C": ch.by_distance(lambda x: np.where(x > 100, 2.0, 1.0), "uF/cm^2"),
        "V": ch.by_distance(lambda x: -0.07 + x / 1e5, "V"),
    }  # fmt: skip
    far = COMPS.distance
    arrays = {
        "Ra": (80 + far / 4, "ohm*cm"),
        "C": (np.where(far > 100, 2.0, 1.0), "uF/cm^2"),
        "V": (-70 + far / 100, "mV"),
    }
    new, old = build(**by), build(**arrays)
    for name in arrays:
        np.testing.assert_allclose(getattr(new, name), arrays[name][0], rtol=1e-12)
        np.testing.assert_allclose(getattr(build().replace(**{name: by[name]}), name), arrays[name][0], rtol=1e-12)
    a, b = (ch.simulate(cell, "1 ms", dt="0.1 ms")["V"] for cell in (new, old))
    np.testing.assert_allclose(a, b, rtol=1e-12)
    assert np.ptp(a[0]) > 1


def test_a_part_that_is_there_takes_values_by_distance_where_it_is():
    own = COMPS.distance[COMPS.numbers("dend | apical")]
    cell = build("0.2 mS/cm^2").replace(**{"IL.g_max": ch.by_distance(lambda x: 0.3 + x / 2e3, "mS/cm^2")})
    np.testing.assert_allclose(cell.channels["IL"].g_max, 0.3 + own / 2e3)
    slope = jax.grad(
        lambda p: jnp.sum(
            build().replace(**{"IL.g_max": ch.by_distance(lambda x: p * x, "mS/cm^2")}).channels["IL"].g_max
        )
    )(1.0)
    assert slope == pytest.approx(own.sum())


def of(f):
    return lambda: build(ch.by_distance(f, "mS/cm^2"))


def point():
    return ch.SingleCompartment(1, IL=ch.channel("IL", g_max=ch.by_distance(abs, "mS/cm^2"), E="-60 mV"))


def given(*stimuli):
    return lambda: ch.simulate(build(), "1 ms", dt="0.1 ms", stimulus=list(stimuli))


STEP = ch.at("soma", ch.step("0.1 nA"))
SAID = r"g_max of 'IL': the function of by_distance\(\) "
MISTAKES = {
    "NaN": (of(lambda x: np.where(x > 300, np.nan, 1.0)), SAID + r"gives nan in apical\[\d+\]\(.*\), 3\d\d.* um from the soma"),
    "infinite": (of(lambda x: np.where(x < 30, np.inf, 1.0)), SAID + r"gives inf in dend\[0\]\("),
    "negative": (of(lambda x: -x), r"g_max of IL must be at least 0 mS/cm\^2"),
    "a failure": (of(lambda x: 1 / 0), SAID + r"raised ZeroDivisionError: division by zero. It is given an array, the ways from the soma of"),
    "no argument": (of(lambda: 1.0), SAID + r"raised TypeError: .*takes 0 positional arguments"),
    "a number alone": (of(lambda x: 1.0 if x > 3 else 2.0), SAID + r"raised ValueError: .*truth value"),
    "a text": (of(lambda x: "much"), SAID + r"gives no numbers, but much"),
    "nothing": (of(lambda x: None), SAID + r"gives no numbers, but None"),
    "complex": (of(lambda x: x * 1j), SAID + r"gives no numbers"),
    "another shape": (of(lambda x: x[:2]), SAID + r"gives the shape \(2,\) for \d+ compartments"),
    "of a point": (point, r"g_max of IL is given by_distance\(\), which asks where it is: on a cell with compartments, on\('all', ..., g_max=...\)"),
    "Ra that is NaN": (lambda: build(Ra=ch.by_distance(lambda x: x * np.nan, "ohm*cm")), r"Ra: the function of by_distance\(\) gives nan in soma"),
    "Ra of 0": (lambda: build(Ra=ch.by_distance(lambda x: x, "ohm*cm")), r"Ra of MultiCompartment must be more than 0"),
    "Ra for d_lambda": (
        lambda: ch.MultiCompartment(MORPH, Ra=ch.by_distance(lambda x: 100 + x, "ohm*cm"), discretise=ch.d_lambda(0.1)),
        "d_lambda needs one Ra and one C for the whole cell",
    ),
    "a stimulus at no place among others": (given(STEP, ch.step("1 uA/cm^2")), r"each is at a place, at\('soma', ...\), and step\(.*\) is at none"),
    "a number among stimuli": (given(STEP, 3), r"each is at a place, at\('soma', ...\), and 3 is at none"),
    "a region that is no text": (lambda: MORPH.named(x=3), r"the region 'x' is written as text, .*, not 3"),
    "a region in capitals": (lambda: COMPS.mask("SOMA"), r"nothing of pyramidal.swc is called 'SOMA'. Did you mean 'soma'"),
}  # fmt: skip


test_a_mistake_is_named_with_the_way_out = each_is_named(MISTAKES)
