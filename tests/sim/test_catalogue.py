"""The catalogue of twins: the program's own, and those of other packages."""

import importlib.metadata
import sys
import types
from importlib.metadata import EntryPoint

import pytest

from sim.catalogue import GROUP, OWN, TWINS, Role, TwinKind, UnknownTwin, make, names
from sim.faults_running import helper_of

THEIR_MODULE = "their_package_of_twins"


class TheirTwin:
    """A puck of somebody else."""

    identity = "SIM-THEIRS"

    def __init__(self, seed=1):
        self.seed = seed


THEIR_TWIN = TwinKind(Role.PUCK, f"{THEIR_MODULE}:TheirTwin", streams=True)


@pytest.fixture
def installed(monkeypatch):
    """Lets packages be installed: entry points by name, each value a whole `module:name`."""

    def install(**values):
        entries = [EntryPoint(name, value, GROUP) for name, value in values.items()]

        def entry_points(*, group):
            return entries if group == GROUP else []

        monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)

    monkeypatch.setitem(sys.modules, THEIR_MODULE, _as_module())
    install()
    return install


def _as_module():
    module = types.ModuleType(THEIR_MODULE)
    module.TheirTwin, module.THEIR_TWIN, module.NOT_A_KIND = TheirTwin, THEIR_TWIN, TheirTwin
    return module


@pytest.mark.parametrize("name", OWN)
def test_every_twin_is_made_by_its_name_and_begins_with_sim(name):
    assert make(name, seed=3, log=lambda entry: None).identity.startswith("SIM")
    assert make(name).identity.startswith("SIM")


def test_a_twin_of_another_package_is_found_by_its_name(installed):
    installed(theirs=f"{THEIR_MODULE}:THEIR_TWIN")
    assert TWINS["theirs"] == THEIR_TWIN
    assert TWINS.get("theirs") == THEIR_TWIN
    assert "theirs" in TWINS
    twin = make("theirs", seed=7, log=print)
    assert (twin.identity, twin.seed) == ("SIM-THEIRS", 7)
    assert names() == (*OWN, "theirs")


def test_a_name_that_nobody_knows_is_refused_with_all_that_there_are(installed):
    installed(theirs=f"{THEIR_MODULE}:THEIR_TWIN")
    with pytest.raises(UnknownTwin) as refused:
        make("nobodys")
    assert str(refused.value) == f"there is no simulated device 'nobodys'; there are {', '.join(OWN)}, theirs"
    assert "nobodys" not in TWINS
    assert TWINS.get("nobodys") is None


@pytest.mark.parametrize(
    "value", ["no_such_module_here:X", f"{THEIR_MODULE}:NOT_HERE", THEIR_MODULE, ":X", ".relative:X"]
)
def test_a_broken_entry_is_refused_with_where_it_points(installed, value):
    installed(broken=value)
    with pytest.raises(UnknownTwin) as refused:
        make("broken")
    assert f"'broken' cannot be loaded from {value}: " in str(refused.value)


def test_an_entry_that_is_no_kind_is_refused(installed):
    installed(odd=f"{THEIR_MODULE}:NOT_A_KIND")
    with pytest.raises(UnknownTwin, match="is no TwinKind"):
        make("odd")


def test_a_name_of_our_own_always_means_our_own(installed):
    installed(ximu3=f"{THEIR_MODULE}:THEIR_TWIN")
    assert TWINS["ximu3"] is OWN["ximu3"]
    assert names() == tuple(OWN)


def test_helpers_that_damage_frames_refuse_what_is_no_frame():
    helper = helper_of("bno085", "wrong-number")
    with pytest.raises(ValueError):
        helper(b"%Hillcrest Labs")
    assert helper_of("bno085", "wrong-length") is None
    for name in ("witmotion", "textline", "ximu3", "ximu3-ascii"):
        assert helper_of(name, "wrong-number") is helper_of(name, "wrong-length") is None
