"""Pictures of cells: what is shown in colour, along the cell, over time; what cannot be drawn says why. They were looked at as well."""

import matplotlib
import numpy as np
import pytest

import channelome as ch

matplotlib.use("Agg")
GREY = [0.85, 0.85, 0.85, 1.0]


def cell(**given) -> ch.MultiCompartment:
    morph = ch.Morphology.soma("20 um").branch("dend", length="100 um", diameter="2 um")
    morph = morph.branch("apical", length="300 um", diameter=("4 um", "1 um"))
    return ch.MultiCompartment(
        morph,
        *("SodiumFixed", "PotassiumFixed"),
        INa=ch.on("soma", "INa_HH1952"),
        IK="IK_HH1952",
        Ih=ch.on("apical", "Ih_HM1992", g_max=ch.by_distance(lambda x: 0.02 * np.exp(x / 300), "mS/cm^2")),
        IL=ch.channel("IL", g_max="0.3 mS/cm^2", E="-54.4 mV"),
        celsius=6.3,
        **given,
    )


CELL = cell()
COMPS = CELL.compartments


def shades(figure) -> np.ndarray:
    """The colour of each compartment but the soma's, from a picture from one side; shape (n - 1, 4)."""
    from matplotlib.collections import PolyCollection

    (found,) = [one for one in figure.axes[0].collections if isinstance(one, PolyCollection)]
    return found.get_facecolors()


def disc(figure) -> tuple[float, ...]:
    (soma,) = figure.axes[0].patches
    return soma.get_facecolor()


def grey(colours: np.ndarray) -> int:
    return int((np.abs(colours - GREY).max(axis=1) < 1e-6).sum())


# ---- in colour ----


def test_a_parameter_is_shown_where_its_part_is_and_the_rest_is_grey():
    figure = CELL.plot(color="Ih.g_max")
    _, scale = figure.axes
    assert scale.get_ylabel() == "Ih.g_max (mS/cm^2)"
    values = 0.02 * np.exp(COMPS.distance[COMPS.mask("apical")] / 300)
    assert scale.get_ylim() == pytest.approx((values.min(), values.max()))
    apical = int(COMPS.mask("apical").sum())
    drawn = shades(figure)
    assert grey(drawn) == len(drawn) - apical
    assert disc(figure) == pytest.approx(GREY)


@pytest.mark.parametrize(
    ("color", "label"),
    [("Ra", "Ra (ohm*cm)"), ("C", "C (uF/cm^2)"), ("area", "area (um^2)"), ("IL.E", "IL.E (mV)"), ("k.E", "k.E (mV)"), ("distance", "distance (um)")],
)  # fmt: skip
@pytest.mark.parametrize("projection", ["xy", "3d"])
def test_parameters_of_the_cell_and_measures_have_a_scale_with_a_unit(color: str, label: str, projection: str):
    figure = CELL.plot(color=color, projection=projection)
    figure.canvas.draw()
    assert figure.axes[1].get_ylabel() == label


def test_a_region_is_shown_by_type_and_so_is_where_a_part_is():
    figure = CELL.plot(color="apical & distance > 100 um")
    inside = int(COMPS.mask("apical & distance > 100 um").sum())
    drawn = shades(figure)
    assert grey(drawn) == len(drawn) - inside
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["apical", "the rest"]
    assert grey(shades(CELL.plot(color="INa"))) == len(COMPS) - 1  # all but the soma
    assert disc(CELL.plot(color="INa")) != pytest.approx(GREY)


def test_an_array_over_the_compartments_is_shown():
    figure = CELL.plot(color=np.linspace(0, 1, len(COMPS)), label="share")
    assert figure.axes[1].get_ylabel() == "share"


def test_of_several_cells_one_is_shown():
    two = cell(size=2).replace(Ra=(np.array([[100.0], [200.0]]), "ohm*cm"))
    low, high = two.plot(color="Ra", neuron=1).axes[1].get_ylim()
    assert low < 200 < high
    with pytest.raises(ch.ModelError, match="there is no cell 2: flat indices go from 0 to 1"):
        two.plot(color="Ra", neuron=2)


def test_what_a_cell_has_not_cannot_be_shown():
    with pytest.raises(ch.ModelError, match=r"'Ih' \(Ih_HM1992\) has no parameter 'gmax': did you mean 'Ih.g_max'\?"):
        CELL.plot(color="Ih.gmax")
    with pytest.raises(
        ch.ModelError, match=r"color='aria' is no parameter.*Ra.*area.*INa.*nothing of .* is called 'aria'"
    ):
        CELL.plot(color="aria")
    with pytest.raises(ch.ModelError, match=r"values to draw have the shape \(3,\); one for each of the"):
        CELL.plot(color=np.zeros(3))
