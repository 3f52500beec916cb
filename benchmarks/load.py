"""How long `ssmlab.load` takes for many nodes, against reading the same files with orjson and pandas alone.

python benchmarks/load.py [NODES]
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import pandas as pd
from accounts import Size, write_account

import ssmlab

KEYS = {
    "describe-instance-information": "InstanceInformationList",
    "describe-instances": "Reservations",
    "get-resources": "ResourceTagMappingList",
}


def read_plainly(files: list[Path]) -> list[pd.DataFrame]:
    frames = []
    for file in files:
        content = orjson.loads(file.read_bytes())
        records = content[KEYS[file.stem]]
        machines = [entry["Instances"][0] for entry in records] if file.stem == "describe-instances" else records
        frames.append(pd.DataFrame.from_records(machines))
    return frames


def best(work: Callable[[], object], rounds: int = 3) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main(count: int) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        written = write_account(root, Size(10, count, 10, accounts=2, regions=2))
        files = [file for file in written if file.stem in KEYS]
        size = sum(file.stat().st_size for file in files) / 1e6
        plain, loaded = best(lambda: read_plainly(files)), best(lambda: ssmlab.load(root))
        print(f"{len(ssmlab.load(root).nodes):,} nodes, {size:.0f} MB in {len(files)} files")
        print(f"orjson + from_records {plain:.2f} s, ssmlab.load {loaded:.2f} s, ratio {loaded / plain:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
