"""The watch itself: what it stops, what it lets through, and that server and kernels stand under it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

GUARD = Path(__file__).parent / "guard"


def python(code, log):
    environment = os.environ | {"PYTHONPATH": str(GUARD), "SSMLAB_GUARD_LOG": str(log)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize(
    ("code", "event", "host"),
    [
        ("socket.create_connection(('192.0.2.1', 80))", "socket.getaddrinfo", "192.0.2.1"),
        ("socket.socket().connect(('192.0.2.1', 80))", "socket.connect", "192.0.2.1"),
        ("socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 53))", "socket.sendto", "192.0.2.1"),
        ("socket.getaddrinfo(b'example.invalid', 443)", "socket.getaddrinfo", "example.invalid"),
        ("socket.gethostbyname('example.invalid')", "socket.gethostbyname", "example.invalid"),
    ],
)
def test_what_leaves_the_machine_fails_and_is_written_down(code, event, host, tmp_path):
    done = python(f"import socket; {code}", tmp_path / "log")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(f"{event}: expected a loopback address, got `{host}`")
    assert (tmp_path / "log").read_text() == f"{event} {host}: -c\n"


def test_loopback_and_sockets_without_a_network_pass(tmp_path):
    done = python(
        "import socket\n"
        "with socket.create_server(('127.0.0.1', 0)) as server:\n"
        "    socket.create_connection(('localhost', server.getsockname()[1])).close()\n"
        "a, b = socket.socketpair()\n"
        "a.sendmsg([b'x'])\n"
        "socket.getaddrinfo(None, 80), socket.getaddrinfo('::1', 80)",
        tmp_path / "log",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "log").exists()


def test_server_and_kernel_stand_under_the_guard(lab):
    lab.write("guarded.ipynb", "import os, sitecustomize, subprocess, sys")
    lab.open("guarded.ipynb")
    lab.run_all()
    assert lab.execute("print(sitecustomize.__file__)").strip() == str(GUARD / "sitecustomize.py")
    parent = Path(f"/proc/{lab.execute('print(os.getppid())').strip()}/environ")
    if parent.exists():
        assert f"PYTHONPATH={GUARD}" in parent.read_text()


def test_a_request_to_elsewhere_is_a_stray(lab):
    watched = type(lab)(lab.server, lab.context, ["http://127.0.0.1:1/a", "ws://localhost/b", "data:,x", "blob:null/y"])
    assert watched.strays() == []
    watched.requests.append("https://cdn.example.invalid/x.js")
    assert watched.strays() == ["https://cdn.example.invalid/x.js"]
