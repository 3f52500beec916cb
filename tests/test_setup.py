"""JupyterLab opens on the notebook, quietly and on this machine only; the wheel holds what it needs."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

from ssmlab import lab

ROOT = Path(__file__).parents[1]
EMPTY_NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A folder with the first notebook, as the working folder."""
    notebook = tmp_path / "my clone" / lab.FIRST_NOTEBOOK
    notebook.parent.mkdir(parents=True)
    notebook.write_text(json.dumps(EMPTY_NOTEBOOK))
    monkeypatch.chdir(notebook.parents[1])
    return notebook.parents[1]


def test_the_first_notebook_of_the_working_folder_is_opened(clone):
    assert lab.find_notebook() == clone / "notebooks" / "00_start_here.ipynb"


def test_a_notebook_may_be_named(clone):
    other = clone / "mine.ipynb"
    other.write_text(json.dumps(EMPTY_NOTEBOOK))
    assert lab.find_notebook("mine.ipynb") == other
    assert "--ServerApp.root_dir=" + str(clone) in lab.lab_arguments(other, "t0k3n")
    assert "--LabApp.default_url=/lab/workspaces/ssmlab/tree/mine.ipynb" in lab.lab_arguments(other, "t0k3n")


def test_the_folder_above_the_notebooks_is_the_root(clone):
    assert lab.lab_arguments(clone / lab.FIRST_NOTEBOOK, "t0k3n", port=0) == [
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.sock=",
        "--ServerApp.allow_root=True",
        "--ServerApp.answer_yes=True",
        "--Application.log_level=ERROR",
        "--LabApp.extension_manager=readonly",
        f"--ServerApp.root_dir={clone}",
        f"--ServerApp.preferred_dir={clone}",
        "--ServerApp.open_browser=False",
        "--ExtensionApp.open_browser=False",
        "--LabApp.default_url=/lab/workspaces/ssmlab/tree/notebooks/00_start_here.ipynb",
        "--IdentityProvider.token=t0k3n",
        "--ServerApp.port=0",
    ]


def test_without_notebooks_it_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lab, "__file__", str(tmp_path / "site-packages" / "ssmlab" / "lab.py"))
    assert lab.open_lab() == 1
    assert capsys.readouterr() == (
        "",
        f"no `notebooks/00_start_here.ipynb` in `{tmp_path}`: the notebooks come with the repository, not with the "
        "installed package; run `python -m ssmlab lab` inside a clone of it, or name a notebook of your own\n",
    )


def test_a_notebook_that_is_not_there_is_named(capsys):
    assert lab.open_lab("nowhere.ipynb") == 1
    assert capsys.readouterr().err == "no notebook `nowhere.ipynb`: expected the path of an .ipynb file\n"


@pytest.mark.parametrize(
    ("platform", "variables", "shown"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"BROWSER": "code --open"}, True),
        ("win32", {}, True),
        ("darwin", {}, True),
    ],
)
def test_a_browser_opens_only_where_it_can_be_seen(platform, variables, shown, monkeypatch):
    monkeypatch.setattr(sys, "platform", platform)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert lab.has_display() is shown


# A user's own configuration, with what must not break it: another address, a root that is gone, no token, a browser.
UNRULY = """
c.ServerApp.ip = "0.0.0.0"
c.ServerApp.base_url = "/mine/"
c.ServerApp.root_dir = c.ServerApp.preferred_dir = "nowhere"
c.ServerApp.open_browser = c.LabApp.open_browser = True
c.IdentityProvider.token = ""
"""

# A job in the background inherits a deaf ear for Ctrl-C; a terminal does not.
START = """
import signal, sys
from ssmlab.lab import open_lab
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(open_lab(port=0, browser=False))
"""


@pytest.fixture
def address(tmp_path, monkeypatch):
    """The address that a running `open_lab` printed; Ctrl-C ends it, with exit code 0."""
    for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / "user"))
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "jupyter_lab_config.py").write_text(UNRULY)
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    with subprocess.Popen([sys.executable, "-c", START], stdout=subprocess.PIPE, text=True) as server:
        try:
            yield next(found[0] for line in server.stdout if (found := re.search(r"http\S+", line)))
            server.send_signal(signal.SIGINT)
            assert server.wait(timeout=20) == 0
        finally:
            server.kill()


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read().decode()


@pytest.mark.usefixtures("clone")
def test_the_printed_address_opens_the_notebook_without_a_question(address):
    place, _, token = address.partition("?token=")
    base, _, path = place.partition("/mine/")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", base)
    assert path == "lab/workspaces/ssmlab/tree/notebooks/00_start_here.ipynb"
    assert json.loads(get(f"{base}/mine/api/status?token={token}"))["kernels"] == 0
    page = re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', get(address), re.DOTALL)
    config = json.loads(page[1])
    assert lab.ANNOUNCEMENTS in config["disabledExtensions"]
    assert (config["buildCheck"], config["extensionManager"]["can_install"]) == (False, False)
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        get(f"{base}/mine/api/status")
    refused.value.close()


def test_the_wheel_holds_the_whole_package(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("ssmlab/")}
    package = [file for file in (ROOT / "ssmlab").rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert names == {file.relative_to(ROOT).as_posix() for file in package}
    assert {"ssmlab/py.typed", "ssmlab/collect.sh", "ssmlab/widgets/static/graph.js"} <= names
