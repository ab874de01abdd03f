"""Fixtures around `tests.gateway.bench`, which is loaded by the test that asks for it.

So a gateway that cannot even be loaded fails its tests one by one, and not pytest as a whole.
"""

import pytest


@pytest.fixture
def bench(kit):
    """Connected, at zero, disarmed, prescribed."""
    return kit.Bench().connect().prescribe()


@pytest.fixture
def armed(bench):
    return bench.arm()


@pytest.fixture
def stimulating(armed):
    armed.stimulate()
    armed.run(300)
    return armed


@pytest.fixture(scope="session")
def kit():
    from tests.gateway.bench import KIT

    return KIT
