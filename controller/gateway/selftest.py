"""The start-up self-test: is this the program that was tested? Standard library and `safety.digest` alone.

The gateway makes it once at its start, and a fault keeps it from being armed; `stimloop doctor` makes it too.
The four packages have generic names, so another program's package of the same name could stand in for one of ours:
all must come from one folder. And `safety/` must be what it was when its digest was stored.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from safety import digest

PACKAGES = ("controller", "protocols", "safety", "sim")


def package_folders(name: str) -> list[Path]:
    """Every folder from which the package `name` is taken: one, more for a namespace in pieces, none if missing."""
    spec = find_spec(name)
    places = () if spec is None or spec.submodule_search_locations is None else spec.submodule_search_locations
    return list(dict.fromkeys(Path(place).resolve() for place in places))


def self_test(locate: Callable[[str], list[Path]] = package_folders, safety_folder: Path = digest.FOLDER) -> list[str]:
    """What is wrong, a sentence each with what to do; empty when all is well. Nothing may be armed when it is not.

    Arguments are for tests: where a package comes from, and the folder whose digest is compared.
    """
    found = {name: locate(name) for name in PACKAGES}
    faults = [f"The package {name} is missing: install stimloop again." for name in PACKAGES if not found[name]]
    for name, folders in found.items():
        if len(folders) > 1:
            places = " and ".join(str(folder) for folder in folders)
            faults.append(f"The package {name} comes from {places}: remove the one that is not stimloop's.")
    parents = sorted({str(folder.parent) for folders in found.values() for folder in folders})
    if len(parents) > 1 and not faults:
        places = ", ".join(f"{name} from {folders[0].parent}" for name, folders in found.items())
        faults.append(f"The packages are not of one installation ({places}): install stimloop in its own environment.")
    if not digest.matches(safety_folder):
        faults.append(f"{safety_folder} is not what was tested: restore it, or after a meant change run `make digest`.")
    return faults


def first_fault(test: Callable[[], list[str]] = self_test) -> str:
    """The first fault in one sentence, "" when all is well. A test that cannot be made is a fault; never raises."""
    try:
        faults = test()
    except (OSError, ImportError, ValueError) as error:
        return f"The start-up self-test could not be made ({error}): install stimloop again."
    return faults[0] if faults else ""
