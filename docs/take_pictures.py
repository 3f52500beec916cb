"""Take the README's picture from the real screen: JupyterLab in Chromium, notebook 01, both themes.

    .venv/bin/python docs/take_pictures.py [FOLDER]

Writes reach-explorer.png (light) and reach-explorer-dark.png to FOLDER, default: docs/.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Run the browser test that takes them."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs").resolve()
    test = "tests/browser/test_reach_explorer.py::test_pictures"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--pictures={folder}", test]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
