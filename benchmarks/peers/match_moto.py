"""moto: its `EventPattern`, one pattern on one event a call: python match_moto.py QUESTIONS.json LIMIT_IN_SECONDS

Patterns are loaded before; only the matching is timed. An engine past the limit stops after the event at hand.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

from moto.events.models import EventPattern

questions, limit = json.loads(Path(sys.argv[1]).read_text()), float(sys.argv[2])
patterns = [EventPattern.load(text) for text in questions["patterns"]]
seconds, answers = 0.0, []
for event in questions["events"]:
    start = time.process_time()
    answers.append([number for number, pattern in enumerate(patterns) if pattern.matches_event(event)])
    seconds += time.process_time() - start
    if seconds > limit:
        break
json.dump({"version": version("moto"), "seconds": seconds, "answers": answers}, sys.stdout)
