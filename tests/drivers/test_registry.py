"""Devices by name: the program's own, those of other packages, and the package that docs/add-a-device.md shows."""

import importlib.metadata
import math
import random
import re
import sys
import tomllib
import types
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from controller.drivers import registry
from controller.drivers.orthoses.kind import OrthosisKind, orthosis
from controller.drivers.ports import LineSettings
from controller.drivers.pucks.kind import PuckKind, puck
from controller.drivers.pucks.textline import TextLineDriver
from controller.drivers.registry import UnknownDevice
from controller.drivers.stimulators.kind import StimulatorKind, stimulator
from controller.vocabulary.capabilities import Capabilities
from controller.wire.link import MemoryLink
from sim.catalogue import TWINS
from sim.imu import CONSUMER, Sensor, rigid_motion
from sim.room import furnish

PAGE = Path(__file__).parents[2] / "docs" / "add-a-device.md"
MODULE = "their_package_of_devices"
THEIRS = PuckKind("theirs", TextLineDriver, LineSettings(9600), Capabilities("theirs"))
KINDS = {
    registry.STIMULATORS: (stimulator, StimulatorKind, "stimulator"),
    registry.PUCKS: (puck, PuckKind, "puck"),
    registry.ORTHOSES: (orthosis, OrthosisKind, "orthosis"),
}


@pytest.fixture
def installed(monkeypatch):
    """Lets packages be installed: (group, name, `module:value`) each. THEIRS is `THEIRS` of a module of theirs."""
    module = types.ModuleType(MODULE)
    module.THEIRS, module.SOMETHING = THEIRS, "a string"
    monkeypatch.setitem(sys.modules, MODULE, module)

    def install(*entries):
        found = [EntryPoint(name, value, group) for group, name, value in entries]
        monkeypatch.setattr(
            importlib.metadata, "entry_points", lambda *, group: [entry for entry in found if entry.group == group]
        )

    install()
    return install


@pytest.mark.parametrize(("group", "name"), [(group, name) for group, own in registry.OWN.items() for name in own])
def test_every_device_of_ours_is_found_by_its_own_name(group, name):
    find, kind, _ = KINDS[group]
    found = find(name)
    assert isinstance(found, kind)
    assert found.name == name
    assert found.capabilities.device


def test_our_own_are_found_without_looking_at_installed_packages(monkeypatch):
    def never(**_):
        raise AssertionError("installed packages were asked")

    monkeypatch.setattr(importlib.metadata, "entry_points", never)
    assert puck("bno085").name == "bno085"


def test_a_device_of_another_package_is_found_by_its_name(installed):
    installed((registry.PUCKS, "theirs", f"{MODULE}:THEIRS"))
    assert puck("theirs") is THEIRS
    assert registry.names(registry.PUCKS) == (*registry.OWN[registry.PUCKS], "theirs")
    assert "theirs" not in registry.names(registry.STIMULATORS)


@pytest.mark.parametrize("group", KINDS)
def test_a_name_that_nobody_knows_is_refused_with_all_that_there_are(installed, group):
    find, _, word = KINDS[group]
    installed((group, "zeta", "z:Z"), (group, "alpha", "a:A"))
    with pytest.raises(UnknownDevice) as refused:
        find("nobodys")
    there_are = ", ".join([*registry.OWN[group], "alpha", "zeta"])
    assert str(refused.value) == f"there is no {word} 'nobodys'; there are {there_are}"


@pytest.mark.parametrize("value", ["no_such_module_here:X", f"{MODULE}:NOT_HERE", MODULE, ":X", ".relative:X"])
def test_a_broken_target_is_refused_with_where_it_points(installed, value):
    installed((registry.PUCKS, "broken", value))
    with pytest.raises(UnknownDevice) as refused:
        puck("broken")
    assert str(refused.value).startswith(f"'broken' cannot be loaded from {value}: ")


def test_a_package_that_is_no_python_is_refused(installed, tmp_path, monkeypatch):
    (tmp_path / "acme_of_another_python.py").write_text("def broken(:\n")
    monkeypatch.syspath_prepend(tmp_path)
    installed((registry.PUCKS, "broken", "acme_of_another_python:X"))
    with pytest.raises(UnknownDevice, match="cannot be loaded"):
        puck("broken")


@pytest.mark.parametrize("value", [f"{MODULE}:SOMETHING", "controller.drivers.pucks.ximu3:Ximu3Driver"])
def test_something_else_under_a_device_name_is_refused(installed, value):
    installed((registry.PUCKS, "odd", value))
    with pytest.raises(UnknownDevice) as refused:
        puck("odd")
    assert str(refused.value) == f"'odd' ({value}) is no PuckKind"


def test_a_puck_is_no_stimulator(installed):
    installed((registry.STIMULATORS, "ours", "controller.drivers.pucks.ximu3:XIMU3"))
    with pytest.raises(UnknownDevice, match="is no StimulatorKind"):
        stimulator("ours")


def test_a_name_of_our_own_always_means_our_own(installed):
    installed((registry.PUCKS, "ximu3", f"{MODULE}:THEIRS"))
    assert puck("ximu3").name == "ximu3"
    assert registry.names(registry.PUCKS) == tuple(registry.OWN[registry.PUCKS])


@pytest.fixture
def acme(installed, tmp_path, monkeypatch):
    """The package of the page, installed: its files written, its entry points read from its pyproject.toml."""
    page = PAGE.read_text(encoding="utf-8")
    files = dict(re.findall(r"^`([\w.]+)`\n```\w+\n(.*?)```", page, re.DOTALL | re.MULTILINE))
    assert set(files) == {"pyproject.toml", "acme_puck.py", "acme_twin.py"}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    groups = tomllib.loads(files["pyproject.toml"])["project"]["entry-points"]
    installed(*[(group, name, value) for group, entries in groups.items() for name, value in entries.items()])
    yield
    for name in ("acme_puck", "acme_twin"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("acme")
def test_the_package_of_the_page_is_a_puck_that_works():
    driver, twin = puck("acme").driver(), TWINS["acme"]
    assert driver.start(0) == b""
    assert (twin.role, twin.streams) == ("puck", True)
    here, there = MemoryLink.pair()
    world = furnish({"acme": there}, 0)
    world.advance(1_000_000_000)
    data = here.read(1 << 16)
    assert puck("acme").resembles(data)
    assert not puck("ximu3").resembles(data)
    assert len(driver.feed(1, b"noise" + data)) == 100
    assert driver.bad_frames == 1
    assert (driver.poll(1), driver.next_deadline()) == (b"", 2**63 - 1)


@pytest.mark.usefixtures("acme")
def test_the_package_of_the_page_measures_what_its_twin_feels():
    from acme_twin import AcmeTwin

    driver, twin = puck("acme").driver(), AcmeTwin()
    sensor = Sensor(random.Random(5), CONSUMER)
    for n in range(100):
        motion = rigid_motion(math.sin(n * 0.06), 6.0 * math.cos(n * 0.06), 0.0, 0.08)
        gyro, acc = sensor.measure(n * 10_000_000, *motion)
        (sample,) = driver.feed(n, twin.frame(n * 10_000, gyro, acc))
        assert sample.gyro_dps == pytest.approx(gyro, abs=0.051)
        assert sample.acc_g == pytest.approx(acc, abs=0.00051)


def test_the_page_names_the_groups_and_the_lines_as_they_are():
    page = PAGE.read_text(encoding="utf-8")
    for group, (_, kind, _) in KINDS.items():
        assert f"| `{group}` | `{kind.__name__}` |" in page
    assert f'"bno085": "{registry.OWN[registry.PUCKS]["bno085"]}"' in page
    twin = TWINS["bno085"]
    assert f'"bno085": TwinKind(Role.PUCK, "{twin.make}", streams={twin.streams}, wire="{twin.wire}")' in page
