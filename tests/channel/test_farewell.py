"""What a process leaves behind that met something unforeseen: details in a file, a sentence for the person."""

import pytest

from controller.channel.farewell import details, farewell

pytestmark = pytest.mark.hazard("H36")


def failure(text="nobody thought of it"):
    try:
        raise RuntimeError(text)
    except RuntimeError as error:
        return error


def test_the_person_gets_a_sentence_and_the_file_the_rest(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    said = farewell("gateway", failure(), "All output was told to stop.")
    path = tmp_path / ".cache" / "stimloop" / "crash-gateway.txt"
    assert "RuntimeError: nobody thought of it" in said
    assert "All output was told to stop." in said
    assert str(path) in said
    assert "Traceback" not in said
    assert "\n" not in said
    assert "Traceback" in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_without_a_place_for_the_file_the_sentence_is_said_all_the_same(tmp_path, monkeypatch):
    (tmp_path / ".cache").write_text("a file where a folder should be")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "could not be written" in farewell("engine", failure(), "It ended.")


def test_both_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    error = failure("x\n" * 100_000)
    assert len(details(error)) <= 8_000
    said = farewell("engine", error, "It ended.")
    assert len(said) < 1_000
    assert "\n" not in said
