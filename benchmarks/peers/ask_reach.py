"""ssmlab as users ask it: one `reach` and its `summary` over the loaded snapshot, timed in a fresh process.

python ask_reach.py QUESTIONS.json ACCOUNT_FOLDER
"""

import json
import sys
import time
from pathlib import Path

import pandas as pd

import ssmlab

questions = json.loads(Path(sys.argv[1]).read_text())
snapshot = ssmlab.load(sys.argv[2])
ask = ssmlab.reach  # imported when it is first asked for: before the clock starts
start = time.perf_counter()
reach = ask(snapshot, context=questions["request"])
summary = reach.summary()
seconds = time.perf_counter() - start

names = [principal["arn"] for principal in questions["principals"]]
arns = [resource["arn"] for resource in questions["resources"]]
columns = [
    pd.concat([reach.documents(name), reach.nodes(name)])["resource_outcome"].astype("str").loc[arns] for name in names
]
answers = [list(row) for row in zip(*columns, strict=True)]
found = {"version": ssmlab.__version__, "seconds": seconds, "answers": answers}
json.dump(found | {"pairs": int(summary.loc[names, "pairs"].sum())}, sys.stdout)
