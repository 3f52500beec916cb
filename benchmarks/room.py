"""A room of learners on one machine: as many kernels at once, each running the first notebook from top to bottom.

    python benchmarks/room.py 30

prints seconds, and the memory of all kernels at its highest. Pages that kernels share count once ("PSS", on Linux);
elsewhere resident pages are summed, which says too much. The Jupyter server comes on top.
"""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient

FIRST = Path(__file__).parents[1] / "notebooks" / "00_start_here.ipynb"


@dataclass(frozen=True)
class Room:
    """What each learner's notebook looks like after it ran; the room's seconds and highest memory in bytes."""

    notebooks: list[nbformat.NotebookNode]
    seconds: float
    memory: int


def fill_room(learners: int, path: Path = FIRST) -> Room:
    """Run a notebook in as many kernels at once; none ends before all are through."""
    together, highest, is_over = threading.Barrier(learners), [0], threading.Event()
    start = time.perf_counter()

    def learn(_: int) -> tuple[nbformat.NotebookNode, float]:
        notebook = nbformat.read(path, as_version=4)
        client = NotebookClient(
            notebook, timeout=600, startup_timeout=600, resources={"metadata": {"path": str(path.parent)}}
        )
        client.reset_execution_trackers()
        with client.setup_kernel():
            try:
                for index, cell in enumerate(notebook.cells):
                    client.execute_cell(cell, index)
            except BaseException:
                together.abort()  # the others need not wait
                raise
            took = time.perf_counter() - start
            together.wait()
        return notebook, took

    def watch() -> None:
        while not is_over.wait(1):
            highest[0] = max(highest[0], count_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with ThreadPoolExecutor(learners) as pool:
            learnt = list(pool.map(learn, range(learners)))
    finally:
        is_over.set()
        watcher.join()
    return Room([notebook for notebook, _ in learnt], max(took for _, took in learnt), highest[0])


def count_memory() -> int:
    """Bytes of all kernels of this process."""
    total = 0
    for process in psutil.Process().children(recursive=True):
        try:
            if "ipykernel_launcher" in process.cmdline():
                found = process.memory_full_info()
                total += getattr(found, "pss", found.rss)
        except psutil.Error:  # it ended while we looked
            continue
    return total


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    room = fill_room(size)
    print(f"{size} kernels: {room.seconds:.0f} s, {room.memory / 1e6:.0f} MB, {room.memory / size / 1e6:.0f} MB each")
