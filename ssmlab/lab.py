"""JupyterLab, opened on a notebook: on this machine only, quiet, and without a word to the outside."""

import os
import secrets
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

FIRST_NOTEBOOK = Path("notebooks", "00_start_here.ipynb")

# What we rely on, whatever stands in the user's own Jupyter configuration; all else of it stays in force.
SETTINGS = {
    "ServerApp.ip": "127.0.0.1",
    "ServerApp.sock": "",
    "ServerApp.allow_root": "True",  # root in a container is the normal case, and nothing listens outside it
    "ServerApp.answer_yes": "True",  # Ctrl-C stops at once instead of asking
    "Application.log_level": "ERROR",
    "LabApp.extension_manager": "readonly",  # the default one asks a package index
}

# Asks for leave to fetch news, on top of the screen, and looks for updates. Without it, JupyterLab does neither;
# `LabApp.news_url=None` stops the fetching only, the question comes all the same (JupyterLab 4.6).
ANNOUNCEMENTS = "@jupyterlab/apputils-extension:announcements"


def open_lab(notebook: str | Path | None = None, port: int | None = None, browser: bool | None = None) -> int:
    """Open JupyterLab on a notebook, print its address with the token, and serve until Ctrl-C.

    Parameters
    ----------
    notebook
        A notebook; default: ``notebooks/00_start_here.ipynb`` of the working folder, else of the clone that
        `ssmlab` was installed from.
    port
        TCP port on 127.0.0.1, 0 for any free one; default: Jupyter's own (8888). If it is taken, a near one is used.
    browser
        Whether to open a web browser; default: where there is a display.

    Returns
    -------
    int
        Exit code: 0 after Ctrl-C, 1 if there is no such notebook.
    """
    path = find_notebook(notebook)
    if path is None:
        print(_no_notebook(notebook), file=sys.stderr)
        return 1
    _serve(path, port, has_display() if browser is None else browser)
    return 0


def find_notebook(notebook: str | Path | None = None) -> Path | None:
    """Return the absolute path of the notebook to open, `None` if there is none."""
    clone = Path(__file__).parents[1]
    places = [Path(notebook)] if notebook else [FIRST_NOTEBOOK, clone / FIRST_NOTEBOOK]
    return next((place.resolve() for place in places if place.is_file()), None)


def has_display() -> bool:
    """Tell whether a web browser can show itself: always on Windows and macOS, elsewhere if a display is named.

    Python's `webbrowser` would otherwise start a text browser in this very terminal.
    """
    return sys.platform in ("win32", "darwin") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")))


def lab_arguments(notebook: Path, token: str, port: int | None = None, browser: bool = False) -> list[str]:
    """Return the command-line arguments of JupyterLab; they go before any configuration file.

    The folder above ``notebooks/`` is the root, so that the file browser shows the data too. The workspace is our own:
    the tabs of the user's other work neither open here nor get lost.
    """
    root = notebook.parents[1] if notebook.parent.name == "notebooks" else notebook.parent
    page = quote(notebook.relative_to(root).as_posix())
    settings = SETTINGS | {
        "ServerApp.root_dir": str(root),
        "ServerApp.preferred_dir": str(root),
        "ServerApp.open_browser": str(browser),
        "ExtensionApp.open_browser": str(browser),
        "LabApp.default_url": f"/lab/workspaces/ssmlab/tree/{page}",
        "IdentityProvider.token": token,
    }
    if port is not None:
        settings["ServerApp.port"] = str(port)
    return [f"--{name}={value}" for name, value in settings.items()]


def _serve(notebook: Path, port: int | None, browser: bool) -> None:
    # JupyterLab takes a second to import: only who opens it should wait.
    from jupyterlab.labapp import LabApp

    token = secrets.token_hex(24)
    server = LabApp.initialize_server(argv=lab_arguments(notebook, token, port, browser))
    server.web_app.settings["page_config_hook"] = _without_questions
    # `local_url` hides a token that Jupyter did not make itself. The loop binds the port first, then prints.
    address = f"{server.local_url.partition('?')[0]}?token={token}"
    server.io_loop.add_callback(
        print, f"\nJupyterLab opens {notebook.name} at\n\n    {address}\n\nCtrl-C stops it.\n", flush=True
    )
    server.start()


def _without_questions(_handler: object, page: dict[str, Any]) -> dict[str, Any]:
    return page | {"disabledExtensions": [*page.get("disabledExtensions", ()), ANNOUNCEMENTS], "buildCheck": False}


def _no_notebook(notebook: str | Path | None) -> str:
    if notebook:
        return f"no notebook `{notebook}`: expected the path of an .ipynb file"
    return (
        f"no `{FIRST_NOTEBOOK.as_posix()}` in `{Path.cwd()}`: the notebooks come with the repository, not with the "
        "installed package; run `python -m ssmlab lab` inside a clone of it, or name a notebook of your own"
    )
