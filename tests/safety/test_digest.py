"""The digest of `safety/`: it must be the stored one, and any change must show."""

import runpy
import sys
from pathlib import Path

import pytest

from safety import digest

pytestmark = pytest.mark.hazard("H42")


def test_stored_digest_is_fresh():
    assert digest.matches(), "safety/ has changed since its digest was stored: run make digest"
    assert len(digest.compute()) == 64


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.py").write_text("A = 1\n")
    (tmp_path / "b.py").write_text("B = 2\n")
    (tmp_path / "notes.txt").write_text("not code\n")
    return tmp_path


def test_every_change_shows(folder, capsys):
    assert not digest.matches(folder)
    assert digest.stored(folder) == ""
    assert digest.main([], folder) == 1
    assert digest.main(["--write"], folder) == 0
    assert digest.main([], folder) == 0
    assert "run make digest" in capsys.readouterr().out
    (folder / "notes.txt").write_text("still not code\n")
    assert digest.matches(folder)
    (folder / "a.py").write_text("A = 2\n")
    assert not digest.matches(folder)
    (folder / "a.py").write_text("A = 1\n")
    assert digest.matches(folder)
    (folder / "c.py").write_text("")
    assert not digest.matches(folder)
    (folder / "c.py").unlink()
    (folder / "b.py").rename(folder / "bb.py")
    assert not digest.matches(folder)


def test_usage(folder, capsys):
    assert digest.main(["--wrote"], folder) == 2
    assert "usage" in capsys.readouterr().err


def test_as_a_script_it_only_looks(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["digest"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(digest.__file__, run_name="__main__")
    assert end.value.code == (0 if digest.matches() else 1)
    assert digest.compute() in capsys.readouterr().out


def test_as_a_script_it_writes(folder, monkeypatch, capsys):
    # A copy, so that its own folder is the one that is written.
    copy = folder / "digest.py"
    copy.write_bytes(Path(digest.__file__).read_bytes())
    monkeypatch.setattr(sys, "argv", ["digest", "--write"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(copy), run_name="__main__")
    assert end.value.code == 0
    assert digest.matches(folder)
    assert digest.compute(folder) in capsys.readouterr().out
