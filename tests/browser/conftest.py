"""A real JupyterLab in a real Chromium, both watched: nothing may go anywhere but this machine.

def test_something(lab):
    lab.write("mine.ipynb", "1 + 1")           # or a notebook of the repository, which is there already
    page = lab.open("mine.ipynb", theme="dark")  # a Playwright page
    lab.run_all()                                # fails with the traceback of a cell that fails
    assert lab.execute("print(6 * 7)") == "42\\n"  # in the notebook's kernel
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FIRST_HALF = ("test_labs.py", "test_compare.py", "test_hostile.py", "test_guard.py")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = [
    "--no-sandbox",  # root in a container has no sandbox to offer
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
START = "import sys; from ssmlab.lab import open_lab; sys.exit(open_lab(sys.argv[1], port=0, browser=False))"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
NUMBERS = count(1)
# The page's own handle on JupyterLab (`LabApp.expose_app_in_browser`): surer than its menus.
NOTEBOOK = "window.jupyterapp?.shell.currentWidget"
READY = f"""path => {{
    const {{ context, sessionContext }} = {NOTEBOOK} ?? {{}};
    return context?.path === path && sessionContext.isReady && sessionContext.session?.kernel?.status === "idle";
}}"""
EXECUTE = f"""async code => {{
    const future = {NOTEBOOK}.sessionContext.session.kernel.requestExecute({{ code }});
    let said = "";
    future.onIOPub = ({{ header, content }}) => {{
        if (header.msg_type === "stream") said += content.text;
        if (header.msg_type === "error") said += content.traceback.join("\\n");
    }};
    const {{ content }} = await future.done;
    return [content.status, said];
}}"""
FAILURES = f"""() => {NOTEBOOK}.context.model.toJSON().cells
    .flatMap(cell => cell.outputs ?? []).filter(output => output.output_type === "error")
    .map(output => output.traceback.join("\\n"))"""

expect.set_options(timeout=20_000)  # ms: a busy machine is slow, not wrong


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker("browser")
    half = item.path.name in FIRST_HALF  # one server and browser for each half, so that two cores have work to the end
    item.add_marker(pytest.mark.xdist_group(f"browser {'1' if half else '2'}"))


@dataclass(frozen=True, slots=True)
class Server:
    """A running JupyterLab: its address and token, the folder with `notebooks/` and `data/`, what the guard saw."""

    url: str
    token: str
    folder: Path
    guard_log: Path


@pytest.fixture(scope="session")
def browser_path() -> str:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        refuse = pytest.fail if os.environ.get("CI") else pytest.skip
        refuse(f"no browser: expected one of {', '.join(BROWSERS)} on the PATH")
    return path


@pytest.fixture(scope="session")
def server(browser_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:  # noqa: ARG001
    """JupyterLab as `python -m ssmlab lab` opens it, on a copy of the notebooks, with a home and a guard of its own."""
    base = tmp_path_factory.mktemp("lab")
    folder, guard_log, config = base / "clone", base / "guard.log", base / "config"
    for name in ("notebooks", "data"):
        (folder / name).mkdir(parents=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True)
    first = folder / "notebooks" / "first.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), first)
    config.mkdir()
    (config / "jupyter_lab_config.json").write_text('{"LabApp": {"expose_app_in_browser": true}}')
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_DATA_DIR": str(base / "data"),
        "JUPYTER_RUNTIME_DIR": str(base / "runtime"),
        "IPYTHONDIR": str(base / "ipython"),
        "JUPYTER_NO_CONFIG": "",
        "PYTHONPATH": os.pathsep.join([str(HERE / "guard"), str(ROOT)]),
        "PYTHONUNBUFFERED": "1",
        "SSMLAB_GUARD_LOG": str(guard_log),
    }
    guard_log.touch()
    with (base / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(first)], cwd=folder, env=environment, stdout=log, stderr=log
        )
    try:
        url, token = _address(process, base / "server.log")
        yield Server(url, token, folder, guard_log)
    finally:
        process.terminate()
        process.wait(20)


def _address(process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> tuple[str, str]:
    """Root URL and token, from the address that JupyterLab prints."""
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        if found := next((word for word in log.read_text().split() if "?token=" in word), None):
            parts = urlsplit(found)
            return f"{parts.scheme}://{parts.netloc}", parts.query.removeprefix("token=")
        time.sleep(0.1)
    pytest.fail(f"JupyterLab: expected an address within {seconds:.0f} s, got:\n{log.read_text()}")


@dataclass(slots=True)
class Lab:
    """A browser window on the server, and every address it asked for."""

    server: Server
    context: BrowserContext
    requests: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.context.pages[-1]

    def write(self, name: str, *cells: str) -> None:
        """Put a notebook of these code cells beside the repository's own."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        nbformat.write(notebook, self.server.folder / "notebooks" / name)

    def open(self, name: str, theme: str = "light", size: tuple[int, int] = (1280, 720)) -> Page:
        """Open a notebook alone, with a kernel that is ready; the one that was open before is closed."""
        self.close()
        page = self.context.new_page()
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        workspace = f"test-{next(NUMBERS)}"  # a new one each time: JupyterLab would open again what was open before
        page.goto(f"{self.server.url}/lab/workspaces/{workspace}/tree/notebooks/{name}?token={self.server.token}")
        page.wait_for_function(READY, arg=f"notebooks/{name}")
        self.command("application:toggle-left-area")
        self.use_theme(theme)
        return page

    def close(self) -> None:
        for page in self.context.pages:
            page.evaluate("window.jupyterapp?.serviceManager.sessions.shutdownAll()")
            page.close()

    def command(self, name: str, **arguments: Any) -> None:
        """Run one of JupyterLab's commands to its end."""
        self.page.evaluate(
            "async ([name, given]) => { await window.jupyterapp.commands.execute(name, given) }", [name, arguments]
        )

    def use_theme(self, theme: str) -> None:
        """Switch to the light or the dark theme."""
        self.command("apputils:change-theme", theme=THEMES[theme])
        self.page.wait_for_selector(f"body[data-jp-theme-name='{THEMES[theme]}']", state="attached")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    def run_all(self) -> None:
        """Run every cell; fail with the tracebacks of those that failed."""
        self.command("notebook:run-all-cells")
        failures = self.page.evaluate(FAILURES)
        assert failures == [], "\n".join(failures)

    def execute(self, code: str) -> str:
        """Run code in the notebook's kernel, outside any cell, and return what it printed."""
        status, said = self.page.evaluate(EXECUTE, code)
        assert status == "ok", said
        return str(said)

    def strays(self) -> list[str]:
        """The requests that went elsewhere than to this machine."""
        urls = [urlsplit(url) for url in self.requests]
        own = [url for url in urls if url.scheme in ("data", "blob") or url.hostname in ("127.0.0.1", "localhost")]
        return [url.geturl() for url in urls if url not in own]


@pytest.fixture(scope="module")
def lab(server: Server, browser_path: str) -> Iterator[Lab]:
    """A window on JupyterLab; at the end, neither it nor server and kernels may have called anyone else.

    For a module only: while Playwright runs, its event loop is in the way of any other in this process.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser_path, args=SWITCHES)
        lab = Lab(server, chromium.new_context())
        lab.context.on("request", lambda request: lab.requests.append(request.url))
        yield lab
        lab.close()
        chromium.close()
    assert lab.strays() == []
    assert server.guard_log.read_text() == ""
