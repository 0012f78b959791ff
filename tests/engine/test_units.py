"""What users write with units becomes bare numbers at the door, or an error that says what was expected."""

import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import channelome as ch
from channelome.mechanisms.leak import IL
from channelome.units import Unit, convert

MV, MS, DENSITY, DEGC, ONE = (Unit.parse(symbol) for symbol in ("mV", "ms", "mS/cm^2", "degC", "1"))

FORMS = [
    ("10 mV", MV, 10.0),
    ("-65mV", MV, -65.0),
    ("  1e-2 V ", MV, 10.0),
    ("+.5 mV", MV, 0.5),
    ("1_000 mV", MV, 1000.0),
    ((10, "mV"), MV, 10.0),
    ((np.float32(10), "mV"), MV, 10.0),
    ({"value": 10, "unit": "mV"}, MV, 10.0),
    (10 * u.mV, MV, 10.0),
    (0.01 * u.volt, MV, 10.0),
    ("120 mS/cm^2", DENSITY, 120.0),
    ("0.12 S/cm**2", DENSITY, 120.0),
    ("1200 S/m^2", DENSITY, 120.0),
    ("120 mS cm^-2", DENSITY, 120.0),
    ("120 mS/cm2", DENSITY, 120.0),
    (120 * u.mS / u.cm**2, DENSITY, 120.0),
    (u.mV, MV, 1.0),
    ("2", ONE, 2.0),
    (2, ONE, 2.0),
    (36, DEGC, 36.0),
    ("36 degC", DEGC, 36.0),
    ("309.15 K", DEGC, 36.0),
    ("0.075 1/ms", Unit.parse("1/ms"), 0.075),
    ("75 Hz", Unit.parse("1/ms"), 0.075),
    ("48 1/(ms*mM^2)", Unit.parse("1/(ms*mM^2)"), 48.0),
    ("48 1/ms/mM^2", Unit.parse("1/(ms*mM^2)"), 48.0),
    ("0.2 nA", Unit.parse("nA"), 0.2),
    ("200 pA", Unit.parse("nA"), 0.2),
    ("20000 um^2", Unit.parse("um^2"), 2e4),
    ("2 mol/m^3", Unit.parse("mM"), 2.0),
    ("240 nM", Unit.parse("mM"), 2.4e-4),
    ("3 µm", Unit.parse("um"), 3.0),
    ("1 kΩ", Unit.parse("ohm"), 1000.0),
    ("\u201365 mV", MV, -65.0),
    ("\uff0d65 mV", MV, -65.0),
    ("10\u00a0mV", MV, 10.0),
    ("10\u202fmV", MV, 10.0),
    ("10 \u33b7", MV, 10.0),
    ("10 \uff4d\uff36", MV, 10.0),
    ("36 \u00baC", DEGC, 36.0),
    ("36 \u02daC", DEGC, 36.0),
    ("36 \u00b0 C", DEGC, 36.0),
    ("0.12 S\u2215cm\u00b2", DENSITY, 120.0),
    ("0.12 S\u2044cm\u00b2", DENSITY, 120.0),
    ("120 mS\u2219cm\u207b\u00b2", DENSITY, 120.0),
    ("120 mS\u00a0cm\u207b\u00b2", DENSITY, 120.0),
    ("120 mS/\u33a0", DENSITY, 120.0),
    ("3.6 \u00d7 10\u207b\u2075 cm/s", Unit.parse("cm/s"), 3.6e-5),
    ("3.6*10^-5 cm/s", Unit.parse("cm/s"), 3.6e-5),
    ("1\u00b710\u00b3 mV", MV, 1000.0),
]


@pytest.mark.parametrize(("value", "unit", "bare"), FORMS, ids=[str(form[0]) for form in FORMS])
def test_every_form_of_a_value_is_read_at_the_door(value: object, unit: Unit, bare: float) -> None:
    number = convert(value, unit, "the value")
    assert float(number) == pytest.approx(bare, rel=1e-13)


@pytest.mark.parametrize("form", [np.array([1, 2, 3]), [1, 2, 3], jnp.asarray([1.0, 2.0, 3.0])])
def test_arrays_keep_their_shape(form: object) -> None:
    np.testing.assert_allclose(convert((form, "V"), MV, "x"), [1000.0, 2000.0, 3000.0], rtol=1e-15)
    np.testing.assert_allclose(convert(np.asarray(form) * u.volt, MV, "x"), [1000.0, 2000.0, 3000.0], rtol=1e-15)


def test_powers_of_ten_are_converted_without_dust() -> None:
    assert convert("1 V", MV, "x") == 1000.0
    assert convert("0.3 mS/cm^2", DENSITY, "x") == 0.3
    assert convert("1 S/m^2", DENSITY, "x") == 0.1


@pytest.mark.parametrize("value", [10, 10.0, np.float64(10), np.ones(3), "10", [1, 2]])
def test_a_bare_number_for_a_voltage_is_an_error_that_shows_how_to_write_it(value: object) -> None:
    with pytest.raises(ch.UnitError, match=r"E of IL needs a unit: got .*expected for instance '.* mV'"):
        IL(E=value)


@pytest.mark.parametrize("value", ["10 mS/cm^2", (10, "ms"), 10 * u.mS, "10 mV/ms", "10 degC", u.second])
def test_another_dimension_is_an_error_that_names_the_parameter_and_its_unit(value: object) -> None:
    with pytest.raises(ch.UnitError, match="E of IL is in mV"):
        IL(E=value)


@pytest.mark.parametrize(
    "value",
    [
        "ten mV",
        "mV",
        "",
        "10 20 mV",
        "1\u00bd mV",
        "10\u00b2 mV",
        "1,5 mV",
        None,
        True,
        (True, "mV"),
        ([[1, 2], [3]], "mV"),
        ("a", "mV"),
        1j * u.mV,
    ],
)
def test_what_is_not_a_number_is_an_error(value: object) -> None:
    with pytest.raises(ch.UnitError, match=r"E of IL|not a unit"):
        IL(E=value)


@pytest.mark.parametrize("value", [{"value": 1}, {"value": 1, "unit": "mV", "note": ""}, {"unit": "mV"}])
def test_a_table_holds_exactly_value_and_unit(value: object) -> None:
    with pytest.raises(ch.UnitError, match="exactly 'value' and 'unit'"):
        IL(E=value)


@pytest.mark.parametrize("symbol", ["mX", "m^", "^2", "m/", "2", "(mV", "mV)", "m^2^3", "mV,", "-", "kg kg$", "mdegC"])
def test_what_is_not_a_unit_is_an_error_that_lists_the_units(symbol: str) -> None:
    with pytest.raises(ch.UnitError, match=r"is not a unit that channelome reads\. Write products of A, C, F"):
        Unit.parse(symbol)


def test_a_temperature_does_not_become_another_unit() -> None:
    with pytest.raises(ch.UnitError, match="give it in K"):
        convert("36 degC", Unit.parse("K"), "the temperature")


UNITS = ["mV", "ms", "mS/cm^2", "uA/cm^2", "uF/cm^2", "mM", "um", "um^2", "nA", "1/ms", "cm/s", "Hz", "kohm", "pF"]


@pytest.mark.parametrize("symbol", UNITS)
def test_our_units_agree_with_brainunit(symbol: str) -> None:
    theirs = {"mM": "mol/m^3", "1/ms": "ms^-1"}.get(symbol, symbol)
    ours, quantity = Unit.parse(symbol), 1.0 * u.parse_unit(theirs)
    assert convert(quantity, ours, "x") == pytest.approx(1.0, rel=1e-12)


PREFIXES = {"": 1.0, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "c": 1e-2, "k": 1e3, "M": 1e6, "G": 1e9}
ATOM = st.tuples(
    st.sampled_from(sorted(PREFIXES)), st.sampled_from(["s", "V", "S", "A", "mol", "F"]), st.integers(1, 3)
)


@given(st.lists(st.tuples(st.sampled_from("*/"), ATOM), min_size=1, max_size=4), st.sampled_from(["^", "**"]))
def test_a_product_of_units_has_the_product_of_the_scales(parts: list, power: str) -> None:
    text, scale = "1", 1.0
    for operation, (prefix, base, exponent) in parts:
        text += f"{operation}{prefix}{base}{power}{exponent}"
        scale *= (PREFIXES[prefix] * Unit.parse(base).scale) ** (exponent if operation == "*" else -exponent)
    assert Unit.parse(text).scale == pytest.approx(scale, rel=1e-12)


@given(st.floats(-1e6, 1e6), st.sampled_from(UNITS))
def test_a_string_and_a_pair_mean_the_same(value: float, symbol: str) -> None:
    unit = Unit.parse(symbol)
    assert convert(f"{value!r} {symbol}", unit, "x") == convert((value, symbol), unit, "x") == value


@given(st.text(alphabet="mVsS/^*()-12 cuA", max_size=12))
def test_any_text_is_a_unit_or_a_unit_error(text: str) -> None:
    try:
        unit = Unit.parse(text)
    except ch.UnitError:
        return
    assert unit.scale > 0


def test_a_space_between_a_power_and_a_1_multiplies() -> None:
    assert Unit.parse("m^2 1/s").dimension == Unit.parse("m^2/s").dimension
