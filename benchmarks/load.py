"""How long `ssmlab.load` takes for many nodes, against reading the same files with orjson and pandas alone.

python benchmarks/load.py [NODES]
"""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pandas as pd

import ssmlab

ACCOUNTS, REGIONS = ("111111111111", "222222222222"), ("eu-west-1", "us-east-2")


def information(node: str, number: int) -> dict[str, Any]:
    return {
        "InstanceId": node,
        "PingStatus": "Online" if number % 20 else "ConnectionLost",
        "LastPingDateTime": 1_700_000_000.123 + number,
        "AgentVersion": f"3.3.{number % 30}.0",
        "IsLatestVersion": False,
        "PlatformType": "Linux" if number % 3 else "Windows",
        "PlatformName": "Amazon Linux",
        "PlatformVersion": "2023",
        "ResourceType": "EC2Instance",
        "IPAddress": f"192.0.2.{number % 250}",
        "ComputerName": f"node-{number}.example.internal",
        "AssociationStatus": "Success",
        "LastAssociationExecutionDate": 1_700_000_000.123,
        "AssociationOverview": {
            "DetailedStatus": "Success",
            "InstanceAssociationStatusAggregatedCount": {"Success": 2},
        },
        "SourceId": node,
        "SourceType": "AWS::EC2::Instance",
    }


def instance(node: str, number: int) -> dict[str, Any]:
    tags = {"Name": f"node-{number}", "Env": ("dev", "test", "prod")[number % 3], "Team": f"team-{number % 40}"}
    tags |= {"Finance": f"cost-{number % 400}", "Service": f"service-{number % 900}"}
    return {
        "InstanceId": node,
        "ImageId": "ami-0123456789abcdef0",
        "InstanceType": "t3.micro",
        "PrivateIpAddress": f"192.0.2.{number % 250}",
        "State": {"Code": 16, "Name": "running"},
        "IamInstanceProfile": {"Arn": "arn:aws:iam::111111111111:instance-profile/NodeRole", "Id": "AIPAEXAMPLE"},
        "PlatformDetails": "Linux/UNIX",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


def write(root: Path, count: int) -> list[Path]:
    draw, files, share = random.Random(1), [], count // (len(ACCOUNTS) * len(REGIONS))
    for folder in (root / account / region for account in ACCOUNTS for region in REGIONS):
        folder.mkdir(parents=True)
        nodes = [f"i-{draw.getrandbits(68):017x}" for _ in range(share)]
        listed = {"InstanceInformationList": [information(node, number) for number, node in enumerate(nodes)]}
        reserved = {"Reservations": [{"Instances": [instance(node, number)]} for number, node in enumerate(nodes)]}
        for name, content in (("describe-instance-information", listed), ("describe-instances", reserved)):
            files.append(folder / f"{name}.json")
            files[-1].write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    return files


def read_plainly(files: list[Path]) -> list[pd.DataFrame]:
    frames = []
    for file in files:
        content = orjson.loads(file.read_bytes())
        records = content.get("InstanceInformationList") or [entry["Instances"][0] for entry in content["Reservations"]]
        frames.append(pd.DataFrame.from_records(records))
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
        files = write(root, count)
        size = sum(file.stat().st_size for file in files) / 1e6
        plain, loaded = best(lambda: read_plainly(files)), best(lambda: ssmlab.load(root))
        print(f"{len(ssmlab.load(root).nodes):,} nodes, {size:.0f} MB in {len(files)} files")
        print(f"orjson + from_records {plain:.2f} s, ssmlab.load {loaded:.2f} s, ratio {loaded / plain:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
