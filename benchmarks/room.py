"""A room of learners on one machine: as many kernels at once, each running the first notebook from top to bottom.

    python benchmarks/room.py 30 notebooks/course/01_what_a_managed_node_is.ipynb

prints seconds, and the memory of all kernels at its highest; without a name, those of the first notebook outside the
course. Pages that kernels share count once ("PSS", on Linux); elsewhere resident pages are summed, which says too much.
The Jupyter server comes on top.
"""

import asyncio
import sys
import time
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
    return asyncio.run(_fill_room(learners, path))


async def _fill_room(learners: int, path: Path) -> Room:
    start, through, memory = time.perf_counter(), asyncio.Barrier(learners + 1), 0
    async with asyncio.TaskGroup() as room:
        notebooks = [room.create_task(_learn(path, through)) for _ in range(learners)]
        while through.n_waiting < learners:
            await asyncio.sleep(1)
            memory = max(memory, await asyncio.to_thread(count_memory))
        seconds = time.perf_counter() - start
        await through.wait()
    return Room([task.result() for task in notebooks], seconds, memory)


async def _learn(path: Path, through: asyncio.Barrier) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(notebook, timeout=600, startup_timeout=600, resources=where)
    client.reset_execution_trackers()
    async with client.async_setup_kernel():
        for index, cell in enumerate(notebook.cells):
            await client.async_execute_cell(cell, index)
        await through.wait()
    return notebook


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
    size, *paths = sys.argv[1:] or ["30"]
    room = fill_room(int(size), *map(Path, paths))
    total = room.memory / 1e6
    print(f"{size} kernels: {room.seconds:.0f} s, {total:.0f} MB, {total / int(size):.0f} MB each")
