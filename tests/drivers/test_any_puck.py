"""What every puck driver of the registry must do with bytes that are not its own, and who recognises whom."""

import json
import math
import random
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.drivers import registry
from controller.drivers.pucks.kind import puck
from controller.drivers.usb import never
from controller.wire.fitmi import PuckCommand, encode_command
from sim.catalogue import TWINS, Role, make

NAMES = registry.names(registry.PUCKS)
TWINS_OF = {name: [twin for twin in TWINS if twin in (name, f"{name}-ascii", f"{name}-yellow")] for name in NAMES}
PUCK_TWINS = [name for name, kind in TWINS.items() if kind.role is Role.PUCK]
DATA = Path(__file__).parent.parent / "data"


def stream(name, frames=30):
    """What a twin of that name sends while it is turned, 100 frames a second."""
    twin = make(name, seed=1)
    if name.startswith("fitmi"):
        for number in (0, 1):
            twin.feed(0, encode_command(number, PuckCommand.GAMEON, 0, 1))
    return b"".join(
        twin.frame(n * 10_000, (math.sin(n) * 50, 20.0, -3.5), (0.1, math.cos(n) * 0.1, 0.98)) for n in range(frames)
    )


def fed(driver, data, chunk):
    samples = []
    for at in range(0, len(data), chunk):
        samples += driver.feed(at * 1000, data[at : at + chunk])
    return samples


def is_sound(sample):
    numbers = [*sample.gyro_dps, *(sample.acc_g or ()), sample.load_n or 0.0]
    unit = sample.quaternion is None or 0.9 <= math.hypot(*sample.quaternion) <= 1.1
    return unit and all(map(math.isfinite, numbers)) and sample.t_ns >= 0


def test_every_puck_has_a_twin():
    assert [name for name in NAMES if not TWINS_OF[name]] == []


@pytest.mark.parametrize("twin", PUCK_TWINS)
def test_every_puck_understands_its_twin_however_the_stream_is_cut(twin):
    name = next(name for name in NAMES if twin in TWINS_OF[name])
    data = stream(twin)
    for chunk in (1, 7, 64, 4096):
        driver = puck(name).driver()
        driver.start(0)
        samples = fed(driver, data, chunk)
        assert len(samples) >= (1 if name == "fitmi" else 29)
        assert all(map(is_sound, samples))
        assert driver.bad_frames == 0


@pytest.mark.parametrize("name", NAMES)
@given(
    data=st.lists(st.binary(max_size=80) | st.sampled_from(PUCK_TWINS).map(lambda twin: stream(twin, 3)), max_size=8)
)
def test_no_bytes_make_a_driver_raise_or_give_a_number_that_is_none(name, data):
    driver = puck(name).driver()
    driver.start(0)
    for now_ns, chunk in enumerate(data):
        assert all(map(is_sound, driver.feed(now_ns * 5_000_000, chunk)))
        assert isinstance(driver.poll(now_ns), bytes)


FLOODS = {
    "random": random.Random(1).randbytes(20_000),
    "0x55": b"\x55" * 20_000,
    "0xAA": b"\xaa" * 20_000,
    "zeros": bytes(20_000),
    "digits": b"1" * 20_000,
    "line feeds": b"\n" * 20_000,
    "commas": b"1,1,1,1,1,1,1,1,1,1,1," * 1_000,
}


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("name", NAMES)
def test_garbage_is_counted_and_not_kept(name, flood):
    driver = puck(name).driver()
    driver.start(0)
    fed(driver, FLOODS[flood][:5_000], 500)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        fed(driver, FLOODS[flood], 500)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000
    assert driver.bad_frames > 0 or (name, flood) == ("textline", "line feeds")  # an empty line is no fault there


@pytest.mark.parametrize("name", [name for name in NAMES if puck(name).resembles is not never])
def test_a_puck_is_recognised_by_its_own_stream_alone(name):
    resembles = puck(name).resembles
    for twin in PUCK_TWINS:
        data = stream(twin)
        for first in range(0, 70, 3):
            assert resembles(data[first : first + 600]) is (twin in TWINS_OF[name]), (twin, first)


@pytest.mark.parametrize("name", NAMES)
def test_a_puck_is_not_recognised_in_what_is_no_puck(name):
    resembles = puck(name).resembles
    noise = random.Random(name)
    assert not any(resembles(noise.randbytes(noise.randrange(700))) for _ in range(300))
    assert not any(resembles(bytes([byte]) * 600) for byte in range(256))
    for golden in DATA.glob("*.json"):
        assert not resembles(golden.read_bytes()[:4096])


def hexadecimal(node):
    """Every string of a golden file that is bytes in hexadecimal."""
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        return [data for part in node for data in hexadecimal(part)]
    try:
        return [bytes.fromhex(node)] if isinstance(node, str) and len(node) >= 8 else []
    except ValueError:
        return []


@pytest.mark.parametrize("name", NAMES)
def test_a_puck_is_not_recognised_in_the_golden_bytes_of_stimulators_and_orthoses(name):
    resembles = puck(name).resembles
    frames = [data for path in DATA.glob("*.json") for data in hexadecimal(json.loads(path.read_text()))]
    assert len(frames) > 100
    assert not any(map(resembles, frames))
    assert not resembles(b"".join(frames))
