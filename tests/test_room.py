"""A room of thirty learners on one machine."""

import pytest

from benchmarks.room import fill_room


@pytest.mark.slow
@pytest.mark.xdist_group("room")
def test_thirty_kernels_at_once_run_the_first_notebook_and_all_see_the_same() -> None:
    texts = [
        [
            output.get("data", {}).get("text/plain", output)
            for cell in notebook.cells
            for output in cell.get("outputs", [])
        ]
        for notebook in fill_room(30).notebooks
    ]
    assert len(texts) == 30
    assert texts == [texts[0]] * 30
    assert [text for text in texts[0] if not isinstance(text, str)] == []  # no error, no warning
