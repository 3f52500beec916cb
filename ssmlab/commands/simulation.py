"""A command's life as a queue of what happens when: deterministic, knows no frames and no access.

The command goes to one node; when that has answered, to two more, then four, up to MaxConcurrency at once. One error
more than MaxErrors ends the sending; what runs goes on. When TimeoutSeconds and the execution time-out have passed,
every node that has not ended is Delivery Timed Out.

Sources: Systems Manager User Guide, "Using targets and rate controls" and "Understanding command statuses"; recordings
of AWS, September 2026, for statuses on the way and response codes.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from ssmlab.commands.answers import Answer
from ssmlab.commands.contents import agent_timeout
from ssmlab.commands.plans import OFFLINE, Member
from ssmlab.commands.statuses import ERRORS, NEXT, REFUSED, Readings, decide_command

NOT_STARTED: Final = -1  # ResponseCode of a node that did not run the command, or has not ended
KILLED: Final = 137
_LATENCY: Final = (0.1, 0.5)  # seconds until a node answers
_UNTIL_DELAYED: Final = 3.0  # seconds, as recorded


@dataclass(frozen=True, slots=True)
class Limits:
    """Nodes at once, errors allowed, seconds until the command expires, seconds of a step; when it is cancelled."""

    concurrency: int
    errors: int
    expires: float
    execution: int
    cancelled: float | None = None


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
        self._due: list[tuple[float, int, Callable[[float], None]]] = []
        self._serial = 0
        self.changes = [Change(0, None, "Pending", "accepted")]
        self.changes += [Change(0, node, "Pending", "not sent yet") for node in range(len(members))]
        self._details = ["Pending"] * len(members)
        self._waiting = deque(range(len(members)))
        self._batch = self._left_in_batch = 1
        self._unanswered = self._open = self._errors = 0
        self._left = len(members)

    def run(self, readings: Readings) -> list[Change]:
        self._push(self._limits.expires, self._expire)
        self._push(self._latency(), self._begin)
        if self._limits.cancelled is not None:
            self._push(self._limits.cancelled, self._cancel)
        while self._left:
            time, _, happen = heapq.heappop(self._due)
            happen(time)
        self.changes.append(Change(time, None, *decide_command(self._details, self._limits.errors, readings)))
        return self.changes

    def _push(self, time: float, happen: Callable[[float], None]) -> None:
        self._serial += 1
        heapq.heappush(self._due, (round(time, 3), self._serial, happen))

    def _latency(self) -> float:
        return self._random.uniform(*_LATENCY)

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
        member = self._members[node]
        if member.fate in REFUSED:
            self._push(time + self._latency(), lambda then: self._refuse(then, node))
            return
        self._change(Change(time, node, "InProgress", "sent to the node"))
        if member.fate == OFFLINE:
            self._push(time + _UNTIL_DELAYED, lambda then: self._delay(then, node))
        else:
            self._push(time + self._latency(), lambda then: self._answer(then, node))

    def _answered(self, time: float) -> None:
        """A node has answered: when all have, the next batch is twice as large; at the limit, there are none left."""
        self._unanswered -= 1
        if not self._unanswered and not self._left_in_batch:
            self._batch = min(2 * self._batch, self._limits.concurrency)
            self._left_in_batch = self._batch if self._batch < self._limits.concurrency else len(self._members)
        self._send(time)

    def _answer(self, time: float, node: int) -> None:
        answer, most = self._answers[node], agent_timeout(self._limits.execution)
        details, code, reason = "Failed" if answer.exit_code else "Success", answer.exit_code, "exit code {}"
        if answer.seconds > most:
            details, code, reason = "ExecutionTimedOut", KILLED, f"it ran longer than executionTimeout, {most} seconds"
        ended = time + min(answer.seconds, most)
        self._push(ended, lambda then: self._end(Change(then, node, details, reason.format(code), code, ran=True)))
        self._answered(time)

    def _delay(self, time: float, node: int) -> None:
        """A node that is not connected: it runs nothing, and holds no place among those that do."""
        if self._details[node] == "InProgress":
            self._change(Change(time, node, "Delayed", self._members[node].reason))
            self._open -= 1
            self._answered(time)

    def _refuse(self, time: float, node: int) -> None:
        if self._details[node] == "Pending":
            self._end(Change(time, node, self._members[node].fate, self._members[node].reason))
            self._answered(time)

    def _end(self, change: Change) -> None:
        """A node ends, unless it has by other means."""
        assert change.node is not None
        before = self._details[change.node]
        if before not in NEXT:
            return
        self._open -= before != "Delayed"
        self._change(change)
        self._errors += change.details in ERRORS
        if self._errors > self._limits.errors:
            reason = f"more errors than max_errors, {self._limits.errors}: {self._errors}"
            self._end_waiting(change.time, "Terminated", reason)
        self._send(change.time)

    def _change(self, change: Change) -> None:
        assert change.node is not None
        self.changes.append(change)
        self._details[change.node] = change.details
        self._left -= change.details not in NEXT

    def _end_waiting(self, time: float, details: str, reason: str) -> None:
        while self._waiting:
            self._change(Change(time, self._waiting.popleft(), details, reason))

    def _expire(self, time: float) -> None:
        reason = f"not ended {self._limits.expires:g} seconds after the request"
        self._end_all(time, "DeliveryTimedOut", reason, NOT_STARTED, ran=False)

    def _cancel(self, time: float) -> None:
        self.changes.append(Change(time, None, "Cancelling", "CancelCommand was called"))
        self._end_all(time, "Cancelled", "CancelCommand was called", KILLED, ran=True)

    def _end_all(self, time: float, details: str, reason: str, code: int, *, ran: bool) -> None:
        self._end_waiting(time, details, reason)
        for node, at in enumerate(self._details):
            if at in NEXT:
                runs = at == "InProgress" and self._members[node].fate == ""
                self._change(Change(time, node, details, reason, code if runs else NOT_STARTED, ran and runs))
