"""For all tests: a runtime folder and a data folder of their own, never those of the person who runs them."""

import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_folders(monkeypatch):
    """`XDG_RUNTIME_DIR` (short, a socket's path has 107 characters) and `STIMLOOP_DATA` in a fresh folder."""
    folder = Path(tempfile.mkdtemp(prefix="sl"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("STIMLOOP_DATA", str(folder / "data"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
