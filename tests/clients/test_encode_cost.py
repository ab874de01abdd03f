"""What it costs to encode an update, beside somebody else's encoder in the same run. A ratio, never a time."""

import pytest

from tests.bench.encode import CASES, measure


@pytest.fixture(scope="module")
def figures():
    return measure(rounds=3)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", CASES)
def test_our_encoder_is_at_least_50_times_faster(figures, case):
    assert figures[case]["times_faster"] >= 50.0
