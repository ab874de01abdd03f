"""`stimloop stop` on real sockets: any connection is a STOP, the answer comes after the frames, this user alone."""

import os
import select
import socket
import threading

import pytest

from controller.channel.stopline import ANSWER, StopListener, press_stop, runtime_folder


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return runtime_folder()


@pytest.fixture
def listener(folder):
    made = StopListener(folder)
    yield made
    made.close()


def pressing(folder, timeout_s=2.0):
    """`press_stop` in the background; `join` gives what it said."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(press_stop(folder, timeout_s)))
    thread.start()

    def join():
        thread.join(10.0)
        return answers[0]

    return join


def wait_for(listener):
    assert select.select([listener], [], [], 5.0)[0]


def test_folder_and_socket_belong_to_this_user_alone(folder, listener):
    assert folder.stat().st_mode & 0o777 == 0o700
    (path,) = folder.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.is_socket()
    assert str(os.getpid()) in path.name


def test_a_folder_with_loose_permissions_is_tightened(folder):
    folder.chmod(0o755)
    assert runtime_folder().stat().st_mode & 0o777 == 0o700


def test_a_folder_of_somebody_else_is_refused(folder, monkeypatch):
    mine = os.getuid()
    theirs = folder.with_name(f"stimloop-{mine + 1}")
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    with pytest.raises(PermissionError, match="belongs to somebody else"):
        runtime_folder()
    assert theirs.exists()


def test_a_press_is_seen_once_and_confirmed_when_the_gateway_says_so(folder, listener):
    assert not listener.pressed()
    join = pressing(folder)
    wait_for(listener)
    assert listener.pressed()
    assert not listener.pressed()
    listener.acknowledge()
    assert join() == (1, 0)
    listener.acknowledge()  # nobody waits: nothing happens


def test_connecting_is_enough_whatever_is_sent(folder, listener):
    (path,) = folder.iterdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.connect(str(path))
    wait_for(listener)
    assert listener.pressed()
    listener.acknowledge()  # the caller has gone: no error


def test_a_gateway_that_does_not_answer_is_counted_as_silent(folder, listener):
    assert press_stop(folder, timeout_s=0.05) == (0, 1)
    assert listener.pressed()


def test_several_callers_are_all_answered(folder, listener):
    joins = [pressing(folder) for _ in range(5)]
    answered = 0
    while answered < 5:
        wait_for(listener)
        while listener.pressed():
            answered += 1
        listener.acknowledge()
    assert [join() for join in joins] == [(1, 0)] * 5


def test_an_answer_that_comes_before_the_caller_has_said_anything_counts(folder, listener, monkeypatch):
    """The gateway answers to the connection and hangs up; the eight bytes then find nobody."""
    said = socket.socket.sendall

    def late(caller, data):
        wait_for(listener)
        assert listener.pressed()
        listener.acknowledge()
        return said(caller, data)

    monkeypatch.setattr(socket, "socket", type("Late", (socket.socket,), {"sendall": late}))
    assert press_stop(folder) == (1, 0)


def test_nobody_there(folder):
    assert press_stop(folder) == (0, 0)


def test_the_socket_of_a_killed_gateway_is_cleared_away(folder):
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    path = folder / "gateway-1.sock"
    dead.bind(str(path))
    dead.close()
    assert press_stop(folder) == (0, 0)
    assert not path.exists()


def test_the_socket_goes_with_the_listener(folder):
    made = StopListener(folder)
    made.close()
    assert list(folder.iterdir()) == []


def test_two_gateways_are_both_stopped(folder, listener):
    def answer(second):
        caller, _ = second.accept()
        with caller:
            caller.sendall(ANSWER)

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as second:
        second.bind(str(folder / "gateway-0.sock"))
        second.listen(1)
        thread = threading.Thread(target=answer, args=[second])
        thread.start()
        join = pressing(folder)
        wait_for(listener)
        listener.pressed()
        listener.acknowledge()
        assert join() == (2, 0)
        thread.join(5.0)
