"""A room: thirty learners on one machine run the first notebook of the course at the same time."""

import asyncio
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FIRST = Path(__file__).parents[1] / "notebooks" / "course" / "01_what_a_managed_node_is.ipynb"
SEATS = 30


@pytest.mark.slow
def test_thirty_kernels_at_once_run_the_first_notebook(tmp_path: Path) -> None:
    notebooks = [nbformat.read(FIRST, as_version=4) for _ in range(SEATS)]

    async def run(number: int) -> None:
        folder = tmp_path / f"seat-{number}"
        folder.mkdir()
        client = NotebookClient(
            notebooks[number], timeout=600, startup_timeout=600, resources={"metadata": {"path": str(folder)}}
        )
        await client.async_execute()

    async def run_all() -> None:
        await asyncio.gather(*map(run, range(SEATS)))

    asyncio.run(run_all())
    outputs = [output for notebook in notebooks for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output.get("name") == "stderr"] == []
    assert all(cell.execution_count for notebook in notebooks for cell in notebook.cells if cell.cell_type == "code")
