"""moto: `EventMessageFilter`, made and asked for each log event, as its FilterLogEvents does.

python filter_moto.py FILE: the lines and patterns in it as JSON; prints the seconds and the number of lines that match
of each pattern, None where moto lets every line through.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

from moto.logs.utils import EventMessageFilter, UnsupportedFilterPattern

given = json.loads(Path(sys.argv[1]).read_text())
answers = {}
for pattern, lines in given:
    start = time.process_time()
    found = sum(EventMessageFilter(pattern).matches(line) for line in lines)
    is_read = not isinstance(EventMessageFilter(pattern).filter_type, UnsupportedFilterPattern)
    answers[pattern] = [time.process_time() - start, found] if is_read else None
print(json.dumps({"version": version("moto"), "answers": answers}))
