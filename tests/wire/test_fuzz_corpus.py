"""Every input that the fuzzer has kept: no codec raises, hangs, grows, or reads a cut stream otherwise."""

import random

import pytest

from tests.fuzz.codecs import CODECS, Broken, _framed
from tests.fuzz.corpus import load


@pytest.mark.parametrize("codec", CODECS)
def test_the_kept_corpus_breaks_nothing(codec):
    kept = load(codec)
    assert len(kept) >= 20, f"run `make fuzz` and keep tests/data/corpus/{codec}.hex"
    for data in kept:
        CODECS[codec](data)


@pytest.mark.parametrize("codec", CODECS)
def test_mixtures_of_kept_inputs_break_nothing(codec):
    mixer, kept = random.Random(codec), load(codec)
    for _ in range(200):
        data = b"".join(mixer.choice(kept)[: mixer.randrange(1, 200)] for _ in range(mixer.randrange(1, 6)))
        CODECS[codec](data)


def test_the_probe_itself_finds_a_framer_that_grows_and_one_that_minds_the_cuts():
    class Hoarder:
        def __init__(self):
            self.kept = b""

        def feed(self, data):
            self.kept += data
            return []

    class Chopper:
        def __init__(self):
            self.calls = 0

        def feed(self, data):
            return [data] if data else []

    with pytest.raises(Broken, match="keeps 5000 bytes"):
        _framed(Hoarder, bytes(5000))
    with pytest.raises(Broken, match="cut in pieces"):
        _framed(Chopper, bytes(50))
