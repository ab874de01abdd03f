"""The start-up self-test, place by place: four packages, one folder, and a safety folder as it was tested."""

from pathlib import Path

import pytest

from controller.gateway import selftest
from controller.gateway.selftest import first_fault, package_folders, self_test
from safety import digest

pytestmark = pytest.mark.hazard("H42")

ONE = Path("/opt/stimloop")
NAMES = ("controller", "protocols", "safety", "sim")


def places(**elsewhere):
    """Where each package comes from: `ONE`, unless it is said otherwise."""
    return lambda name: elsewhere.get(name, [ONE / name])


def test_packages_of_one_folder_are_well():
    assert self_test(places()) == []
    assert first_fault(lambda: self_test(places())) == ""


@pytest.mark.parametrize("name", NAMES)
def test_a_package_that_is_missing_is_said_by_its_name(name):
    assert self_test(places(**{name: []})) == [f"The package {name} is missing: install stimloop again."]


@pytest.mark.parametrize("name", NAMES)
def test_a_package_in_pieces_is_said_with_its_places_alone(name):
    two = places(**{name: [ONE / name, Path("/tmp/x") / name]})
    said = (
        f"The package {name} comes from /opt/stimloop/{name} and /tmp/x/{name}: remove the one that is not stimloop's."
    )
    assert self_test(two) == [said]


@pytest.mark.parametrize("name", NAMES)
def test_a_package_from_elsewhere_is_said_with_all_their_places(name):
    found = [f"{each} from {Path('/tmp/x') if each == name else ONE}" for each in NAMES]
    assert self_test(places(**{name: [Path("/tmp/x") / name]})) == [
        f"The packages are not of one installation ({', '.join(found)}): install stimloop in its own environment."
    ]


def test_packages_from_three_folders_are_not_of_one_installation():
    (said,) = self_test(places(sim=[Path("/a/sim")], safety=[Path("/b/safety")]))
    assert said.startswith("The packages are not of one installation (controller from /opt/stimloop, ")


def test_the_first_fault_is_said(tmp_path):
    faults = self_test(places(sim=[], controller=[]), tmp_path)
    assert faults == [
        "The package controller is missing: install stimloop again.",
        "The package sim is missing: install stimloop again.",
        f"{tmp_path} is not what was tested: restore it, or after a meant change run `make digest`.",
    ]
    assert first_fault(lambda: faults) == faults[0]
    assert first_fault(list) == ""


def test_the_folder_that_runs_here_is_the_one_that_is_compared():
    assert digest.matches() is True
    assert self_test(places()) == self_test(places(), digest.FOLDER) == []


@pytest.mark.parametrize("error", [OSError, ImportError, ValueError])
def test_a_test_that_cannot_be_made_says_why(error):
    def broken():
        raise error("no such disk")

    assert first_fault(broken) == "The start-up self-test could not be made (no such disk): install stimloop again."


# -- where a package comes from ---------------------------------------------------------------------------------------


def test_a_package_comes_from_its_folder_and_a_module_or_nothing_from_none():
    assert package_folders("safety") == [digest.FOLDER]
    assert package_folders("no_such_package_anywhere") == []
    assert package_folders("this") == []  # a module is no package


def test_a_package_in_pieces_comes_from_each_of_them_once(tmp_path, monkeypatch):
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        (folder / "scattered").mkdir(parents=True)
        monkeypatch.syspath_prepend(str(folder))
    monkeypatch.syspath_prepend(str(folders[0] / ".." / "a"))
    assert sorted(package_folders("scattered")) == [folder / "scattered" for folder in folders]


def test_without_arguments_it_looks_at_the_packages_that_run_here(monkeypatch):
    asked = []
    monkeypatch.setattr(selftest, "find_spec", lambda name: asked.append(name))
    faults = self_test()
    assert asked == list(NAMES)
    assert [fault for fault in faults if "is missing" in fault] == faults
    assert len(faults) == len(NAMES)
