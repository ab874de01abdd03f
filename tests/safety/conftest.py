"""Fixtures around `tests.safety.rig`, which is loaded by the test that asks for it.

So `safety/` that cannot even be loaded fails its tests one by one, and not pytest as a whole.
"""

from functools import partial

import pytest

from tests.safety.proposed import PROPOSED, PROPOSED_JOINTS


@pytest.fixture(params=sorted(PROPOSED))
def bed(request):
    """Every body region inherits the whole contract."""
    from tests.safety.rig import Bed

    return Bed(request.param)


@pytest.fixture(params=sorted(PROPOSED_JOINTS))
def joint(request):
    """Makes rigs around a guard with a powered orthosis; every joint inherits the whole contract."""
    from tests.safety.rig import JointRig

    return partial(JointRig, request.param)


@pytest.fixture(scope="session")
def kit():
    from tests.safety.rig import KIT

    return KIT
