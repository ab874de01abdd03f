"""Two programs cannot drive one unit: of two that reach for a port at the same instant, exactly one gets it."""

import os
import select
import subprocess
import sys
import tty

import pytest

RACES = 200
RACER = """
import os, sys
from controller.drivers.ports import LineSettings, PortBusy, open_serial
path, held = sys.argv[1], None
settings = LineSettings(baud=3_000_000, stop_bits=2, rts_cts=True)
print("here", flush=True)
for line in sys.stdin:
    if line.strip() == "go":
        try:
            held = open_serial(path, settings)
            print("mine", flush=True)
        except PortBusy as busy:
            print(f"busy {busy} | {busy.todo}", flush=True)
    else:
        if held is not None:
            held.close()
            held = None
        print("let go", flush=True)
"""


def say(racer, word):
    racer.stdin.write(word + "\n")
    racer.stdin.flush()


def hear(racer):
    ready, _, _ = select.select([racer.stdout], [], [], 20.0)
    assert ready, "a racer said nothing for 20 s"
    return racer.stdout.readline().strip()


@pytest.fixture
def port():
    master, slave = os.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(slave)
    os.close(master)


@pytest.fixture
def racers(port):
    command = [sys.executable, "-P", "-c", RACER, port]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [hear(racer) for racer in both] == ["here", "here"]
    yield both
    for racer in both:
        racer.stdin.close()
        assert racer.wait(20.0) == 0
        racer.stdout.close()


def test_of_two_programs_that_open_a_unit_at_once_exactly_one_gets_it_200_times(racers, port):
    won = [0, 0]
    for race in range(RACES):
        order = racers if race % 2 else racers[::-1]
        for racer in order:
            say(racer, "go")
        answers = [hear(racer) for racer in racers]
        assert sorted(answer.split()[0] for answer in answers) == ["busy", "mine"], f"race {race}: {answers}"
        loser = next(answer for answer in answers if answer.startswith("busy"))
        assert port in loser
        assert "close the other program" in loser
        won[answers.index("mine")] += 1
        for racer in racers:
            say(racer, "stop")
            assert hear(racer) == "let go"
    assert sum(won) == RACES
    assert min(won) > 0  # it was a race, and not always the same one's
