"""The sample data: an invented organisation, Fenwick & Rowe, as files of AWS CLI output."""

import json
from pathlib import Path

from sample_maker.files import sample_files
from sample_maker.fleet import SEED

__all__ = ["sample_files", "write_sample"]


def write_sample(path: str | Path, seed: int = SEED) -> None:
    """Write the sample data into a folder, byte for byte the same for the same seed.

    Parameters
    ----------
    path
        The folder; it is made if need be. Files of the sample in it are written over, others stay.
    seed
        What the identifiers of the nodes are drawn from; with another one, further nodes too.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_sample(folder)
    ...     sorted(entry.name for entry in Path(folder).iterdir())
    ['123456789012', '210987654321', 'organizations']
    """
    for name, content in sample_files(seed).items():
        file = Path(path, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content, indent=4, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
