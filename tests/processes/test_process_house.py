"""What a live process is made of: its modules, its descriptors, its sockets."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.hazard("H42")

HEAVY = ("numpy", "pint", "yaml", "pydantic", "textual", "hid", "transitions", "asyncio")

# A whole life of the gateway in a fresh interpreter: it serves, its screen hangs up, it leaves; then its modules.
GATEWAY_LIFE = """
import os, pty, socket, sys, tty
from controller.gateway.__main__ import main
front, screen = socket.socketpair()
engine, other = socket.socketpair()
master, slave = pty.openpty()
tty.setraw(slave)
screen.send(bytes([2, 0, 250]) + b"x")  # a message that nobody knows: a broken screen is a STOP
screen.close()
lines = ["--front", str(front.detach()), "--engine", str(engine.detach())]
sys.argv = ["gateway", *lines, "--unit", "p24:" + os.ttyname(slave)]
main()
assert os.read(master, 4096), "the unit was told nothing"
print(" ".join(name for name in sys.modules if name.split(".")[0] in %r))
"""


def run_python(code, folder):
    return subprocess.run(
        [sys.executable, "-P", "-c", code],
        capture_output=True,
        text=True,
        timeout=20,
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder)},
    )


def test_a_gateway_never_holds_a_heavy_module(tmp_path):
    done = run_python(GATEWAY_LIFE % (HEAVY,), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == []
    assert list((tmp_path / f"stimloop-{os.getuid()}").iterdir()) == []  # its socket went with it


def test_the_stop_command_is_made_of_the_standard_library(tmp_path):
    code = f"""
import sys
from controller.cli.main import main
code = main(["stop"])
print(code, [name for name in sys.modules if name.split(".")[0] in {(*HEAVY, "serial")}])
"""
    done = run_python(code, tmp_path)
    assert done.stdout == "No session is running on this machine for this user.\n0 []\n"


def test_the_gateway_comes_up_without_a_unit_and_without_its_parents_folder(tmp_path):
    """`-P`: a file beside us that is called like a module must not be taken for it."""
    (tmp_path / "socket.py").write_text("raise SystemExit('taken for the library')")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "controller.gateway", "--help"],
        capture_output=True,
        text=True,
        timeout=20,
        cwd=tmp_path,
    )
    assert done.returncode == 0
    assert "--unit" in done.stdout


def listening_inodes():
    """Sockets of this machine that listen on a network port."""
    found = set()
    for table in ("tcp", "tcp6"):
        path = Path("/proc/net") / table
        if path.exists():
            rows = [line.split() for line in path.read_text().splitlines()[1:]]
            found |= {row[9] for row in rows if row[3] == "0A"}
    return found


def descriptors(pid):
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a live process closes some while they are being listed
            found.append(os.readlink(entry))
    return found


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")
def test_ports_sockets_and_descriptors_of_a_live_house(start, runtime):
    live = start()
    assert live.pump(10.0, live.is_up), live.told()
    unit, gateway, engine = live.devices.url("p24"), live.house.gateway.pid, live.house.engine.pid
    assert unit in descriptors(gateway)
    assert unit not in descriptors(engine)  # an observer cannot stop what another process holds open
    assert live.puck.path in descriptors(engine)
    assert live.puck.path not in descriptors(gateway)
    for pid in (gateway, engine):
        own = descriptors(pid)
        inodes = {link[8:-1] for link in own if link.startswith("socket:[")}
        assert not inodes & listening_inodes()
        assert not [link for link in own if link.startswith("/dev/pts/") and link not in (unit, live.puck.path)]
        assert os.getsid(pid) == pid != os.getsid(0)  # a session of its own: the terminal's end is not its end
    assert runtime.stat().st_mode & 0o777 == 0o700
    (stop_socket,) = runtime.iterdir()
    assert stop_socket.stat().st_mode & 0o777 == 0o600
