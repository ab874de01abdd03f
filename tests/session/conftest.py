"""Helpers for the tests of protocols and activities."""

from collections.abc import Callable
from pathlib import Path

import pytest

from controller.session.faults import ProtocolRefused
from controller.session.loader import Loaded, load_bytes

PROTOCOLS = Path(__file__).resolve().parents[2] / "protocols"


@pytest.fixture
def protocols() -> Path:
    return PROTOCOLS


@pytest.fixture
def cued() -> str:
    """The text of the shipped cued protocol."""
    return (PROTOCOLS / "wrist_extension_cued.yaml").read_text(encoding="utf-8")


@pytest.fixture
def load_text() -> Callable[[str | bytes], Loaded]:
    def load(text: str | bytes) -> Loaded:
        return load_bytes(text.encode() if isinstance(text, str) else text, "p.yaml")

    return load


@pytest.fixture
def refused(load_text):
    """Loads what must be refused and gives the refusal."""

    def attempt(text: str | bytes) -> ProtocolRefused:
        with pytest.raises(ProtocolRefused) as caught:
            load_text(text)
        return caught.value

    return attempt


@pytest.fixture
def changed(cued):
    """The cued protocol with one piece of text exchanged (which must occur)."""

    def change(old: str, new: str) -> str:
        assert old in cued
        return cued.replace(old, new, 1)

    return change
