"""Signals arrive by name in the select set instead of ending the process."""

import os
import select
import signal

import pytest

from controller.channel.signals import SignalPipe


@pytest.fixture
def pipe():
    former = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    made = SignalPipe()
    yield made
    signal.set_wakeup_fd(-1)
    for number, handler in former.items():
        signal.signal(number, handler)
    made._inbox.close()
    made._outbox.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_ending_signal_is_told_by_name(pipe, number):
    assert pipe.names() == []
    os.kill(os.getpid(), number)
    assert select.select([pipe], [], [], 5.0)[0]
    assert pipe.names() == [number.name]
    assert pipe.names() == []
