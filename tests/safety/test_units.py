"""Units at the border: exact integers, and every trap refused with a fix."""

from decimal import Decimal
from fractions import Fraction

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety import units
from safety.units import Field, UnitFault, period_us, quantity, rate_text

pytestmark = pytest.mark.hazard("H11")

GOOD = [
    ("25 mA", Field.CURRENT, 25_000),
    ("25.5 mA", Field.CURRENT, 25_500),
    ("25.0 mA", Field.CURRENT, 25_000),
    ("500 uA", Field.CURRENT, 500),
    ("500 µA", Field.CURRENT, 500),
    ("0 mA", Field.CURRENT, 0),
    ("99999999999999999999 min", Field.DURATION, 99_999_999_999_999_999_999 * 60_000_000_000),
    ("9999999999999999999999 s", Field.DURATION, 9_999_999_999_999_999_999_999 * 1_000_000_000),
    ("9999999999999999999.9 ms", Field.DURATION, 9_999_999_999_999_999_999_900_000),
    ("9999999999999999999999 %", Field.PERCENT, 99_999_999_999_999_999_999_990),
    ("99999999999999999999 cm2", Field.AREA, 9_999_999_999_999_999_999_900),
    ("250 us", Field.PULSE_WIDTH, 250),
    ("250 µs", Field.PULSE_WIDTH, 250),
    ("120 ms", Field.DURATION, 120_000_000),
    ("2 s", Field.DURATION, 2_000_000_000),
    ("1.5 min", Field.DURATION, 90_000_000_000),
    ("35 Hz", Field.FREQUENCY, 29_000),
    ("30 deg", Field.ANGLE, 30_000),
    ("5 deg/s", Field.ANGULAR_SPEED, 5000),
    ("25 cm2", Field.AREA, 2500),
    ("2500 mm2", Field.AREA, 2500),
    ("7.5 uC", Field.CHARGE, 7500),
    ("62.5 %", Field.PERCENT, 625),
    ("6 Hz", Field.RATE, 6000),
    ("0.25 Hz", Field.RATE, 250),
]

# text, field, a word of the message, a word of the fix
BAD = [
    ("25,0 mA", Field.CURRENT, "comma", "25.0 mA"),
    ("2,5 mA", Field.CURRENT, "comma", "2.5 mA"),
    ("25 ma", Field.CURRENT, "capital", "25 mA"),
    ("25 MA", Field.CURRENT, "mega", "25 mA"),
    ("5 MS", Field.DURATION, "mega", "5 ms"),
    ("25 A", Field.CURRENT, "not written in A", "mA or uA"),
    ("25", Field.CURRENT, "no unit", "25 mA"),
    ("25.5", Field.CURRENT, "no unit", "25.5 mA"),
    ("", Field.CURRENT, "missing", "25 mA"),
    ("  ", Field.CURRENT, "missing", "25 mA"),
    ("mA", Field.CURRENT, "one number", "25 mA"),
    ("25mA", Field.CURRENT, "one space", "25 mA"),
    ("25  mA", Field.CURRENT, "one space", "25 mA"),
    ("25 mA ", Field.CURRENT, "one space", "25 mA"),
    ("25 mA\n", Field.CURRENT, "one space", "25 mA"),
    (".5 mA", Field.CURRENT, "one number", "25 mA"),
    ("25. mA", Field.CURRENT, "one number", "25 mA"),
    ("-5 mA", Field.CURRENT, "sign", "leave the sign out"),
    ("--5 mA", Field.CURRENT, "sign", "leave the sign out"),
    ("+5 mA", Field.CURRENT, "sign", "leave the sign out"),
    ("nan mA", Field.CURRENT, "no number", "25 mA"),
    ("NaN mA", Field.CURRENT, "no number", "25 mA"),
    ("inf mA", Field.CURRENT, "no number", "25 mA"),
    ("-inf mA", Field.CURRENT, "no number", "25 mA"),
    ("1e3 mA", Field.CURRENT, "exponent", "all digits"),
    ("1e400 mA", Field.CURRENT, "exponent", "all digits"),
    ("1E-3 mA", Field.CURRENT, "exponent", "all digits"),
    ("9**9**9 mA", Field.CURRENT, "calculation", "result"),
    ("2**3 mA", Field.CURRENT, "calculation", "result"),
    ("25 mA + 10 A", Field.CURRENT, "calculation", "result"),
    ("1/2 mA", Field.CURRENT, "calculation", "result"),
    ("(5) mA", Field.CURRENT, "calculation", "result"),
    ("1_000 mA", Field.CURRENT, "calculation", "result"),
    ("20 mA 3", Field.CURRENT, "one number", "25 mA"),
    ("9" * 100_000 + " mA", Field.CURRENT, "longer", "25 mA"),
    ("0000000000000000000025 mA", Field.CURRENT, "longer", "25 mA"),
    ("0.0001 mA", Field.CURRENT, "finer", "grid"),
    ("25.0005 mA", Field.CURRENT, "finer", "grid"),
    ("250 ms", Field.PULSE_WIDTH, "not written in ms", "250 us"),
    ("250 s", Field.PULSE_WIDTH, "not written in s", "250 us"),
    ("250 US", Field.PULSE_WIDTH, "capital", "250 us"),
    ("250 μs", Field.PULSE_WIDTH, "only looks right", "250 us"),
    ("２５ mA", Field.CURRENT, "only looks right", "25 mA"),
    ("٢٥ mA", Field.CURRENT, "only looks right", "25 mA"),
    ("25 m\u0430", Field.CURRENT, "only looks right", "25 mA"),
    ("2 us", Field.DURATION, "not written in us", "2 s"),
    ("5 m", Field.DURATION, "not written in m", "ms or s or min"),
    ("5 M", Field.DURATION, "not written in M", "ms or s or min"),
    ("35 deg/s", Field.FREQUENCY, "angular speed", "Hz"),
    ("35 hz", Field.FREQUENCY, "capital", "35 Hz"),
    ("30 rpm", Field.FREQUENCY, "not written in rpm", "30 Hz"),
    ("40 pps", Field.FREQUENCY, "not written in pps", "40 Hz"),
    ("29 ms", Field.FREQUENCY, "duration", "Hz"),
    ("0 Hz", Field.FREQUENCY, "no period", "35 Hz"),
    ("0.0 Hz", Field.FREQUENCY, "no period", "35 Hz"),
    ("5 rad/s", Field.ANGULAR_SPEED, "not written in rad/s", "5 deg/s"),
    ("5 deg", Field.ANGULAR_SPEED, "an angle", "deg/s"),
    ("5 deg/s", Field.DURATION, "angular speed", "2 s"),
    ("2 g", Field.RATE, "not written in g", "2 Hz"),
    ("25 cm", Field.AREA, "not written in cm", "cm2"),
    ("25 mA", Field.AREA, "a current", "cm2"),
    ("80", Field.PERCENT, "no unit", "80 %"),
    ("80%", Field.PERCENT, "one space", "80 %"),
    ("80 percent", Field.PERCENT, "not written in percent", "80 %"),
    ("25µA", Field.CURRENT, "one space", '"25 uA"'),
    ("25  µA", Field.CURRENT, "one space", '"25 uA"'),
    ("25 µa", Field.CURRENT, "capital", '"25 uA"'),
    ("25 µA", Field.DURATION, "a current", "2 s"),
    ("25 µs", Field.DURATION, "not written in µs", '"25 s"'),
    ("X5 mA", Field.CURRENT, "not one number", "25 mA"),
    ("Xnan mA", Field.CURRENT, "not one number", "25 mA"),
    ("25 degC", Field.ANGLE, "not written in degC", "25 deg"),
]


@pytest.mark.parametrize(("text", "field", "value"), GOOD)
def test_good(text, field, value):
    got = quantity(text, field)
    assert got == value
    assert type(got) is int


@pytest.mark.parametrize(("text", "field", "word", "fix"), BAD)
def test_every_trap_is_refused_with_a_fix(text, field, word, fix):
    with pytest.raises(UnitFault) as fault:
        quantity(text, field)
    assert word in fault.value.message
    assert fix in fault.value.fix
    assert len(fault.value.message) < 200
    assert str(fault.value) == f"{fault.value.message}; {fault.value.fix}"


@pytest.mark.parametrize("value", [25, 25.0, None, True, ["25 mA"], float("nan")])
def test_only_text_is_read(value):
    with pytest.raises(UnitFault, match="a number with a unit"):
        quantity(value, Field.CURRENT)


def read(text, field):
    """The integer, or the fault."""
    try:
        return quantity(text, field)
    except UnitFault as fault:
        return fault


def is_answer(got):
    return (type(got) is int and got >= 0) or (isinstance(got, UnitFault) and bool(got.message) and bool(got.fix))


@given(text=st.text(max_size=30), field=st.sampled_from(list(Field)))
def test_any_text_gives_an_integer_or_a_fault(text, field):
    assert is_answer(read(text, field))


@given(
    text=st.text(alphabet="0123456789.,+-*/()eE_ mMaAuµsSHznifNdeg%cC2\n", max_size=26),
    field=st.sampled_from(list(Field)),
)
def test_nearly_right_text_gives_an_integer_or_a_fault(text, field):
    assert is_answer(read(text, field))


EXACT = {"mA": 1000, "uA": 1, "us": 1, "ms": 10**6, "s": 10**9, "min": 6 * 10**10, "cm2": 100, "mm2": 1}


@given(st.integers(0, 10**9), st.integers(0, 6), st.sampled_from(sorted(EXACT)))
def test_exact_or_refused(digits, decimals, unit):
    field = next(field for field in Field if unit in field.value.factors)
    text = f"{digits // 10**decimals}.{digits % 10**decimals:0{max(1, decimals)}d} {unit}"
    number = text.split()[0]
    wanted = Fraction(number) * EXACT[unit]
    if wanted.denominator == 1:
        assert quantity(text, field) == wanted
    else:
        with pytest.raises(UnitFault, match="finer"):
            quantity(text, field)


@given(st.integers(1, 10**6), st.integers(0, 4))
def test_a_period_is_never_shorter_than_asked_for(digits, decimals):
    hertz = Fraction(digits, 10**decimals)
    period = period_us(f"{Decimal(digits).scaleb(-decimals):f} Hz")
    assert period % 500 == 0
    assert period * hertz >= 10**6
    assert (period - 500) * hertz < 10**6


def test_periods_and_rates_in_words():
    assert period_us("35 Hz") == 29_000
    assert period_us("50 Hz") == 20_000
    assert period_us("33.3 Hz") == 30_500
    assert rate_text(29_000) == "34.48 Hz"
    assert rate_text(20_000) == "50 Hz"
    assert rate_text(16_000) == "62.5 Hz"
    assert rate_text(100_000) == "10 Hz"
    assert rate_text(64_000) == "15.63 Hz"  # 15.625: half up
    assert rate_text(1_000) == "1000 Hz"


def test_our_registry_agrees_with_the_whole_of_pint():
    whole = pint.UnitRegistry()
    for field in Field:
        for unit, factor in field.value.factors.items():
            name = {"%": "percent", "cm2": "cm**2", "mm2": "mm**2"}.get(unit, unit)
            target = field.value.target.replace("mm2", "mm**2")
            if target == "permille":
                assert whole.Quantity(1.0, name).to("").magnitude * 1000 == pytest.approx(float(factor))
            else:
                assert whole.Quantity(1.0, name).to(target).magnitude == pytest.approx(float(factor), rel=1e-12)


@pytest.mark.parametrize("field", list(Field))
def test_two_tables_that_differ_are_an_error_of_ours(field, monkeypatch):
    for unit, factor in field.value.factors.items():
        with monkeypatch.context() as patch:
            patch.setitem(field.value.factors, unit, factor * 10)
            with pytest.raises(UnitFault, match="internal error"):
                quantity(f"5 {unit}", field)
    assert units.TEXT_MAX == 24
