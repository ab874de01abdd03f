"""How a FitMi dongle is opened, woken and left: the commands, their order and their times, against the twin."""

import pytest

from controller.drivers.pucks.base import NEVER, PuckExtras, Signal, extras_of
from controller.drivers.pucks.fitmi import EFFECTS, FITMI, FitMiDriver
from controller.drivers.pucks.fitmi_link import QUEUE_MAX, FitMiLink, Outbox, Phase
from controller.drivers.pucks.kind import chosen_puck, puck
from controller.drivers.pucks.ximu3 import Ximu3Driver
from controller.drivers.registry import UnknownDevice
from controller.vocabulary.sample import STALE
from controller.wire.fitmi import CONNECTED, Block, PuckCommand, Receiver, Report, decode_command, encode_report
from sim.devices.fitmi import FitMiTwin

MS = 1_000_000
GAMEON, BUZZ, RESET = PuckCommand.GAMEON, PuckCommand.TOUCHBUZ, PuckCommand.DNGLRST
WAKING = [(0, GAMEON, 1), (1, GAMEON, 1), (0, BUZZ, 0), (1, BUZZ, 0)]
UP = (0.0, 0.0, 1.0)


class Line:
    """A driver on a dongle whose reports and commands are kept with their times in ms."""

    def __init__(self, talks=True, **twin):
        self.driver = FitMiDriver(device="/dev/hidraw0")
        self.twin = FitMiTwin(**twin)
        self.now_ms = 0
        self.talks = talks
        self.sent = []
        self.samples = {}
        assert self.driver.start(0) == b""

    def run(self, ms):
        """A report each 10 ms while the dongle talks; each ms what is due is written."""
        for _ in range(ms):
            self.now_ms += 1
            now_ns = self.now_ms * MS
            if self.talks and self.now_ms % 10 == 0:
                data = self.twin.frame(self.now_ms * 1000, (0.0, 20.0, 0.0), UP)
                for sample in self.driver.feed(now_ns, data) if data else ():
                    self.samples[sample.puck] = sample
            if now_ns >= self.driver.next_deadline() and (command := self.driver.poll(now_ns)):
                number, kind, _, lsb = decode_command(command)
                self.sent.append((self.now_ms, (number, kind, lsb)))
                self.twin.feed(now_ns, command)
        return self

    @property
    def commands(self):
        return [command for _, command in self.sent]

    def awake(self, name):
        return not self.samples[name].flags & STALE


def test_a_puck_that_is_there_is_woken_at_the_first_report_one_write_each_20_ms():
    line = Line().run(500)
    assert line.commands == WAKING
    assert [at for at, _ in line.sent] == [10, 30, 50, 70]
    assert line.awake("blue")
    assert line.awake("yellow")


def test_a_silent_dongle_is_reset_once_after_400_ms_and_woken_600_ms_later():
    line = Line(talks=False).run(5_000)
    assert line.sent[0] == (400, (0, RESET, 0))
    assert line.commands[1:] == WAKING
    assert line.sent[1][0] == 1_000
    assert line.driver.next_deadline() == NEVER


def test_200_reports_without_a_puck_are_enough():
    link, nobody = FitMiLink(0), Block((0,) * 3, (0,) * 3, (0,) * 3, (0,) * 4, 500, 0, 0)
    report = Report((nobody, nobody), Receiver(0, 40, (0, 1)))
    for n in range(199):
        link.heard(n * MS, report)
    assert link.poll(199 * MS) == b""
    link.heard(200 * MS, report)
    assert decode_command(link.poll(200 * MS))[1] == RESET
    assert link.phase is Phase.RESETTING


def test_a_radio_that_finds_no_puck_is_mended_by_the_reset():
    line = Line(needs_reset=True).run(350)
    assert line.commands == []
    line.run(1_200)
    assert line.commands == [(0, RESET, 0), *WAKING]
    assert line.awake("blue")
    assert line.awake("yellow")


def test_700_ms_without_reports_end_the_reception_and_the_pucks_are_woken_again():
    line = Line().run(300)
    line.talks = False
    line.run(690)
    assert line.driver._link.phase is Phase.OPEN
    line.run(30)
    assert line.driver._link.phase is Phase.LISTENING
    line.talks = True
    line.run(300)
    assert line.commands == [*WAKING, *WAKING]
    assert line.awake("blue")


def test_reception_that_stays_away_brings_one_reset_and_no_more():
    line = Line().run(300)
    line.talks = False
    line.run(20_000)
    assert line.commands.count((0, RESET, 0)) == 1
    assert len(line.commands) == 9


@pytest.mark.parametrize("name", ["blue", "yellow"])
def test_a_puck_that_was_reset_sleeps_with_zeros_and_is_woken_within_a_second(name):
    line = Line().run(1_500)
    line.sent.clear()
    line.twin.suffer("reset", name, 0)
    line.run(10)
    assert not line.awake(name)
    assert line.awake("yellow" if name == "blue" else "blue")
    line.run(200)
    assert line.awake(name)
    number = ("blue", "yellow").index(name)
    assert line.commands == [(number, GAMEON, 1), (number, BUZZ, 0)]


def test_a_puck_that_will_not_wake_is_asked_once_a_second():
    line = Line().run(300)
    line.sent.clear()
    line.twin._obey_puck = lambda *_: None
    line.twin.suffer("reset", "blue", 0)
    line.run(5_000)
    assert 4 <= line.commands.count((0, GAMEON, 1)) <= 6
    assert all(number == 0 for number, _, _ in line.commands)


def test_a_flickering_connection_does_not_pile_up_commands():
    line = Line().run(300)
    for n in range(100):
        line.twin.connect(1, n % 2 == 1)
        line.driver.feed((300 + n) * MS, line.twin.report())
    assert len(line.driver._link.outbox) == 2


# -- lights -----------------------------------------------------------------------------------------------------------


def test_a_cue_is_blue_and_a_completed_repetition_green_on_the_puck_that_is_meant():
    line = Line().run(300)
    line.sent.clear()
    line.driver.signal(300 * MS, "yellow", Signal.CUE)
    line.driver.signal(300 * MS, "blue", Signal.DONE)
    line.run(50)
    assert [command[:2] for command in line.commands] == [(1, PuckCommand.PULSE_BLUE), (0, PuckCommand.PULSE_GREEN)]
    assert line.twin.commands[-2] == (1, PuckCommand.PULSE_BLUE, 85, 60)  # 500 of 1500 ms, 60 percent


def test_only_the_greeting_vibrates():
    motors = {PuckCommand.BLINK_MOTOR, PuckCommand.PULSE_MOTOR}
    shaking = {what for what, effects in EFFECTS.items() if motors & {command for command, _, _ in effects}}
    assert set(EFFECTS) == set(Signal)
    assert shaking == {Signal.HERE}


def test_effects_of_one_puck_keep_200_ms_and_stale_ones_are_dropped():
    line = Line().run(300)
    line.sent.clear()
    for _ in range(30):
        line.driver.signal(300 * MS, "blue", Signal.CUE)
    assert len(line.driver._link.outbox) == QUEUE_MAX
    line.run(3_000)
    times = [at for at, _ in line.sent]
    assert times == [301, 501, 701]
    assert len(line.driver._link.outbox) == 0


def test_a_light_is_dropped_where_no_puck_can_see_it():
    line = Line()
    line.driver.signal(0, "blue", Signal.CUE)
    line.run(300)
    line.twin.connect(0, False)
    line.run(50)
    line.sent.clear()
    line.driver.signal(line.now_ms * MS, "blue", Signal.CUE)
    line.driver.signal(line.now_ms * MS, "green", Signal.CUE)
    line.run(300)
    assert line.commands == []


def test_a_setting_takes_the_place_of_the_oldest_light_in_a_full_queue():
    outbox = Outbox()
    for number in range(QUEUE_MAX + 3):
        outbox.effect(0, 0, bytes([number]))
    outbox.put(0, b"setting")
    outbox.put(0, b"setting")
    assert len(outbox) == QUEUE_MAX
    given = [outbox.take(at * 200 * MS) for at in range(4)]
    assert given == [b"setting", bytes([1]), bytes([2]), b""]
    for number in range(QUEUE_MAX + 5):
        outbox.put(1, bytes([100 + number]))
    assert len(outbox) == QUEUE_MAX
    assert outbox.due_ns() < NEVER


def test_the_buzz_on_touch_is_off_during_a_session_and_comes_back_at_its_end():
    line = Line().run(300)
    assert not line.twin.touch_buzz(0)
    line.driver.signal(300 * MS, "blue", Signal.CUE)
    last = line.driver.close(301 * MS)
    assert [decode_command(data) for data in last] == [(0, BUZZ, 0, 1), (1, BUZZ, 0, 1)]
    assert line.driver.poll(400 * MS) == b""
    for data in last:
        line.twin.feed(301 * MS, data)
    assert line.twin.touch_buzz(0)
    assert line.twin.touch_buzz(1)


def test_a_dongle_that_was_never_opened_is_left_alone():
    assert FitMiDriver().close(5) == ()


def test_whatever_is_sent_is_on_the_list_of_what_may_be_sent():
    line = Line(needs_reset=True).run(1_500)
    for n in range(200):
        line.driver.signal(line.now_ms * MS, ("blue", "yellow")[n % 2], tuple(Signal)[n % 3])
        line.twin.suffer(("reset", "lost-puck")[n % 2], "off" if n % 4 == 3 else "", 0)
        line.run(37)
    assert {kind for _, kind, _ in line.commands} <= set(PuckCommand)
    assert len(line.commands) > 100


# -- what the program knows of it -------------------------------------------------------------------------------------


def test_a_driver_without_extras_has_ones_that_do_nothing():
    extras = extras_of(Ximu3Driver())
    assert type(extras) is PuckExtras
    extras.signal(0, "puck", Signal.CUE)
    assert (extras.close(0), extras.remark) == ((), "")
    driver = FitMiDriver()
    assert extras_of(driver) is driver


def test_a_person_names_the_puck_of_a_dongle():
    for named, which in (("fitmi:/dev/hidraw0", "blue"), ("fitmi.blue:x", "blue"), ("fitmi.yellow:x", "yellow")):
        chosen = chosen_puck(named)
        assert (chosen.kind, chosen.which) == (FITMI, which)
    assert chosen_puck("fitmi.yellow:socket://127.0.0.1:5000").port == "socket://127.0.0.1:5000"
    assert chosen_puck("ximu3:/dev/ttyACM1") == (puck("ximu3"), "", "/dev/ttyACM1")


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("fitmi.green:x", "write fitmi.blue or fitmi.yellow"),
        ("fitmi.:x", "has no puck ''"),
        ("ximu3.blue:x", "write ximu3 alone"),
        ("fitmo:x", "there is no puck 'fitmo'"),
    ],
)
def test_a_puck_that_is_none_is_refused_with_what_there_is(named, said):
    with pytest.raises(UnknownDevice, match=said):
        chosen_puck(named)


def test_a_driver_knows_its_port_and_whether_reports_come_whole_there():
    assert puck("ximu3").driver_at("/dev/ttyACM7").device == "/dev/ttyACM7"
    whole, stream = FITMI.driver_at("usb:FM0001"), FITMI.driver_at("/dev/pts/5")
    assert isinstance(whole, FitMiDriver)
    assert isinstance(stream, FitMiDriver)
    assert (whole.stream, stream.stream) == (False, True)


def test_a_real_report_is_heard_on_a_hidraw_node_whatever_its_receiver_says():
    """A real dongle sends a receiver word of its own: the rule for streams must not be asked there."""
    driver = FITMI.driver_at("/dev/hidraw5")
    block = Block((1, 2, 3), (0, 0, 1000), (1, 2, 3), (10_000, 0, 0, 0), 500, 80, CONNECTED | 2)
    for n in range(3):
        moved = block._replace(third=(n, 0, 0))
        samples = driver.feed(n * 10 * MS, encode_report(Report((moved, moved), Receiver(1, 40, (0, 1)))))
    assert [sample.flags & STALE for sample in samples] == [0, 0]
