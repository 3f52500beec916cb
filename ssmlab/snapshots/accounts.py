"""One account's nodes under another account's policies, so that two accounts can be compared."""

import dataclasses
import re
from typing import Any

import pandas as pd

from ssmlab.snapshots.bodies import rebuild
from ssmlab.snapshots.changes import describe_unknown
from ssmlab.snapshots.documents import are_usable
from ssmlab.snapshots.memory import Memory
from ssmlab.snapshots.snapshot import Snapshot
from ssmlab.snapshots.statements import compile_policies


def list_accounts(snapshot: Snapshot) -> list[str]:
    """The accounts of which principals are known, in the order in which they were loaded."""
    return list(map(str, dict.fromkeys(snapshot.principals["account"])))


def take_account(snapshot: Snapshot, account: str) -> Snapshot:
    """Only what belongs to one account or to AWS, and what is shared with the account.

    Raises
    ------
    KeyError
        For an account without principals.

    Examples
    --------
    >>> import ssmlab
    >>> len(take_account(ssmlab.load("data/sample"), "210987654321").nodes)
    18
    """
    if account not in (known := list_accounts(snapshot)):
        raise KeyError(describe_unknown("account", account, known))
    is_foreign = snapshot.policies["account"].isin({*known} - {account})
    taken = {name: getattr(snapshot, name) for name in ("principals", "nodes", "organization")}
    return dataclasses.replace(
        snapshot,
        **{name: frame[frame["account"] == account] for name, frame in taken.items()},
        policies=snapshot.policies[~is_foreign],
        documents=snapshot.documents[are_usable(snapshot.documents, account)],
        memory=Memory(),
    )


def lend_policies(snapshot: Snapshot, account: str, to: Snapshot) -> Snapshot:
    """The nodes and documents of `to`, a single account, with the principals and policies of an account of `snapshot`,
    as if they were that account's: its id is put in the place of the other wherever that stands.
    """
    lending, (own,) = take_account(snapshot, account), list_accounts(to)
    digits = re.compile(rf"(?<!\d){re.escape(account)}(?!\d)")
    names = ("principals", "policies", "organization")
    frames: dict[str, Any] = {name: _put(getattr(lending, name), digits, own) for name in names}
    compiled = compile_policies(frames["policies"], frames["policies"][:0], {})
    return dataclasses.replace(to, **frames, compiled=compiled, memory=Memory())


def _put(frame: pd.DataFrame, digits: re.Pattern[str], account: str) -> pd.DataFrame:
    """A frame in which another account's id stands in the place of one."""

    def put(value: Any) -> Any:
        if isinstance(value, str) or type(value) is int:
            text = digits.sub(account, str(value))
            return value if text == str(value) else text
        if isinstance(value, dict):
            return rebuild(value, ((put(key), put(entry)) for key, entry in value.items()))
        return type(value)(map(put, value)) if isinstance(value, list | tuple) else value

    columns = {str(name): pd.Series([*map(put, old)], frame.index, old.dtype) for name, old in frame.items()}
    return frame.assign(**columns).set_axis(frame.index.map(put).rename(frame.index.name))
