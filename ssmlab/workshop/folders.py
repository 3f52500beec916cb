"""A fresh folder for a learner: the notebooks of the course, an inventory, nothing done yet."""

import sys
from importlib import import_module
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Final

from ssmlab.workshop.course import SOLUTIONS
from ssmlab.workshop.progress import FILE

_CLONE: Final = Path(__file__).parents[2]
_COURSE: Final = _CLONE / "notebooks" / "course"


def make_folder(folder: str | Path, seed: int | None = None) -> Path:
    """Make a folder for a learner: the exercises, without the solutions, and `data/sample`.

    Parameters
    ----------
    seed
        For another inventory of the same shape: other ids, other machines beside those of the stories, other tags.

    Raises
    ------
    FileExistsError
        If there is anything in the folder: nobody's work is written over.
    FileNotFoundError
        Outside a clone: the notebooks come with the repository.
    """
    place = Path(folder)
    if place.exists() and any(place.iterdir()):
        raise FileExistsError(f"`{folder}` is not empty: name a new folder")
    if not _COURSE.is_dir():
        raise FileNotFoundError(f"no `{_COURSE}`: the notebooks come with the repository, not with the package")
    copytree(_COURSE, place, ignore=ignore_patterns(SOLUTIONS, FILE, ".*"), dirs_exist_ok=True)
    if seed is None:
        copytree(_CLONE / "data" / "sample", place / "data" / "sample")
    else:
        sys.path[:] = dict.fromkeys([*sys.path, str(_CLONE / "data")])  # the generator stands beside the sample
        import_module("sample_maker").write_sample(place / "data" / "sample", seed)
    return place
