"""A command's life as a queue of what happens when: deterministic, knows no frames and no access.

The command goes to one node; when that has answered, to two more, then four, up to MaxConcurrency at once. One error
more than MaxErrors ends the sending; what runs goes on. When TimeoutSeconds and the execution time-out have passed,
every node that has not ended is Delivery Timed Out.

Sources: Systems Manager User Guide, "Using targets and rate controls" and "Understanding command statuses"; recordings
of AWS, September 2026, for statuses on the way and response codes.
"""

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any, Final

from ssmlab.commands.answers import Answer
from ssmlab.commands.contents import agent_timeout
from ssmlab.commands.plans import OFFLINE, Member
from ssmlab.commands.statuses import ERRORS, OPEN, REFUSED, Readings, decide_command

NOT_STARTED: Final = -1  # ResponseCode of a node that did not run the command, or has not ended
KILLED: Final = 137
_LATENCY: Final = (0.1, 0.5)  # seconds until a node answers
_ALARM: Final = "an alarm of the command went off"
_UNTIL_DELAYED: Final = 3.0  # seconds, as recorded


@dataclass(frozen=True, slots=True)
class Limits:
    """Nodes at once, errors allowed, seconds until the command expires, seconds of a step; when it is cancelled, when
    its alarm goes off.
    """

    concurrency: int
    errors: int
    expires: float
    execution: int
    cancelled: float | None = None
    alarm: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A status change: seconds after the request, the node's number (None: the command), StatusDetails and why.

    Attributes
    ----------
    code
        ResponseCode.
    ran
        Has the node ended after it ran the command, so that there is output?
    """

    time: float
    node: int | None
    details: str
    reason: str
    code: int = NOT_STARTED
    ran: bool = False


def simulate(
    members: Sequence[Member], answers: Sequence[Answer], limits: Limits, readings: Readings, random: Random
) -> list[Change]:
    """All status changes in time order; those of the command stand before those of nodes that they cause.

    Examples
    --------
    >>> from ssmlab.commands.statuses import choose_readings
    >>> limits = Limits(concurrency=50, errors=0, expires=7200, execution=3600)
    >>> changes = simulate([Member("arn", "i-1")], [Answer()], limits, choose_readings(None), Random(0))
    >>> [(change.node, change.details) for change in changes]
    [(None, 'Pending'), (0, 'Pending'), (None, 'InProgress'), (0, 'InProgress'), (0, 'Success'), (None, 'Success')]
    """
    return _Queue(members, answers, limits, random).run(readings)


class _Queue:
    """What is due, what every node is at, and how many more the command may go to."""

    def __init__(self, members: Sequence[Member], answers: Sequence[Answer], limits: Limits, random: Random) -> None:
        self._members, self._answers, self._limits, self._random = members, answers, limits, random
        self._due: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._serial = count()
        self.changes = [Change(0, None, "Pending", "accepted")]
        self.changes += [Change(0, node, "Pending", "not sent yet") for node in range(len(members))]
        self._details = ["Pending"] * len(members)
        self._waiting = deque(range(len(members)))
        self._batch = self._left_in_batch = 1
        self._unanswered = self._open = self._errors = 0
        self._left, self._stopped = len(members), False

    def run(self, readings: Readings) -> list[Change]:
        own, begin = self._limits, self._latency()
        self._push(own.expires, self._expire)
        for due, happen in ((begin, self._begin), (own.cancelled, self._cancel), (own.alarm, self._stop)):
            if due is not None:
                self._push(due, happen)
        while self._left:
            time, _, happen, node = heapq.heappop(self._due)
            if not node or self._details[node[0]] in OPEN:  # else it has ended by other means
                happen(time, *node)
        end = decide_command(self._details, own.errors, readings)
        self.changes.append(Change(time, None, *(("FailedDueToAlarm", _ALARM) if self._stopped else end)))
        return self.changes

    def _push(self, time: float, happen: Callable[..., None], *node: Any) -> None:
        heapq.heappush(self._due, (round(time, 3), next(self._serial), happen, node))

    def _latency(self) -> float:
        return self._random.uniform(*_LATENCY)

    def _change(self, time: float, node: int, details: str, reason: str, *of_run: Any) -> None:
        """A node is at something else; `of_run`: ResponseCode and output, if it has run the command."""
        self.changes.append(Change(time, node, details, reason, *of_run))
        self._details[node] = details
        self._left -= details not in OPEN

    def _begin(self, time: float) -> None:
        self.changes.append(Change(time, None, "InProgress", "it is being sent to nodes"))
        self._send(time)

    def _send(self, time: float) -> None:
        """Send to as many nodes as the batch and MaxConcurrency leave room for."""
        while self._waiting and self._left_in_batch and self._open < self._limits.concurrency:
            node = self._waiting.popleft()
            self._left_in_batch -= 1
            self._unanswered += 1
            self._open += 1
            self._send_to(node, time)

    def _send_to(self, node: int, time: float) -> None:
        fate = self._members[node].fate
        if fate not in REFUSED:
            self._change(time, node, "InProgress", "sent to the node")
        if fate == OFFLINE:
            self._push(time + _UNTIL_DELAYED, self._delay, node)
        else:
            self._push(time + self._latency(), self._refuse if fate else self._answer, node)

    def _answered(self, time: float) -> None:
        """A node has answered: when all have, the next batch is twice as large; at the limit, there are none left."""
        self._unanswered -= 1
        if not self._unanswered and not self._left_in_batch:
            self._batch = min(2 * self._batch, self._limits.concurrency)
            self._left_in_batch = self._batch if self._batch < self._limits.concurrency else len(self._members)
        self._send(time)

    def _answer(self, time: float, node: int) -> None:
        answer, most = self._answers[node], agent_timeout(self._limits.execution)
        code = KILLED if answer.seconds > most else answer.exit_code
        end = "Failed" if code else "Success", f"exit code {code}", code, True
        if answer.seconds > most:
            end = "ExecutionTimedOut", f"it ran longer than executionTimeout, {most} seconds", code, True
        self._push(time + min(answer.seconds, most), self._end, node, *end)
        self._answered(time)

    def _delay(self, time: float, node: int) -> None:
        """A node that is not connected: it runs nothing, and holds no place among those that do."""
        self._change(time, node, "Delayed", self._members[node].reason)
        self._open -= 1
        self._answered(time)

    def _refuse(self, time: float, node: int) -> None:
        self._end(time, node, self._members[node].fate, self._members[node].reason)
        self._answered(time)

    def _end(self, time: float, node: int, details: str, *told: Any) -> None:
        self._open -= 1
        self._change(time, node, details, *told)
        self._errors += details in ERRORS
        while self._waiting and self._errors > self._limits.errors:
            reason = f"not sent: max_errors is {self._limits.errors}, and {self._errors} failed or timed out before"
            self._change(time, self._waiting.popleft(), "Terminated", reason)
        self._send(time)

    def _expire(self, time: float) -> None:
        self._end_all(time, "DeliveryTimedOut", f"not ended {self._limits.expires:g} seconds after the request")

    def _cancel(self, time: float) -> None:
        self.changes.append(Change(time, None, "Cancelling", "CancelCommand was called"))
        self._end_all(time, "Cancelled", "CancelCommand was called", KILLED, True)

    def _stop(self, time: float) -> None:
        """The command's alarm goes off; recorded is that what runs on a node goes on, unheard."""
        self._stopped = True
        self._end_all(time, "Terminated", _ALARM)

    def _end_all(self, time: float, details: str, reason: str, *of_running: Any) -> None:
        """Every node ends that has not; ResponseCode and output of those that run the command."""
        self._waiting.clear()
        for node, at in enumerate(self._details):
            if at in OPEN:
                runs = at == "InProgress" and not self._members[node].fate
                self._change(time, node, details, reason, *(of_running if runs else ()))
