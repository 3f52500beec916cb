"""`check_policies`: the findings as a frame."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import orjson
import pandas as pd

from ssmlab.conditions import Condition
from ssmlab.findings.rules import ON_CONDITION, ON_STATEMENT, Found
from ssmlab.findings.used import Site, Used, holds_without
from ssmlab.snapshots import Snapshot

_COLUMNS: Final = ("policy", "statement", "index", "finding", "severity", "what", "why", "mend", "source")
# Rule → its words: severity, what, why, mend, source.
_WORDS: Final[dict[str, dict[str, str]]] = orjson.loads(Path(__file__).with_name("rules.json").read_bytes())
_MOST: Final = 4  # texts that are listed in a sentence


def check_policies(snapshot: Snapshot, *, other_ways: bool = True) -> pd.DataFrame:
    """Find statements that cannot do what they seem to, or that do more.

    Checked are the statements of policies that bind somebody, where they are about Systems Manager or the tags that its
    limits hang on. Not checked: service-linked roles; statements that AWS would refuse and policies that were not
    collected (they stand in `snapshot.problems`). Of a statement for all actions (`"Action": "*"`) it is not said that
    it allows too much.

    Parameters
    ----------
    snapshot
        From `ssmlab.load`.
    other_ways
        Whether limits by tags are also held against all other ways to the nodes (`find_paths`): this takes longer than
        all other rules together, seconds for a thousand principals.

    Returns
    -------
    pandas.DataFrame
        A row a finding, in the order of the policies: `policy`, `statement` (its Sid, else its number from 1), `index`
        (from 0), `finding` (a short name), `severity` ("error": it never takes effect; "warning"; "note"), `what`,
        `why`, `mend` (how to mend it) and `source`.

    Examples
    --------
    >>> import ssmlab
    >>> findings = ssmlab.check_policies(ssmlab.load("data/sample"))
    >>> left_out = findings[findings["finding"] == "hybrid-nodes-left-out"].iloc[0]
    >>> left_out["policy"], left_out["statement"]
    ('arn:aws:iam::123456789012:policy/Page-1-OneTag', '2')
    >>> left_out["what"]
    '`ssm:SendCommand` is allowed on `arn:aws:ec2:*:*:instance/*` and on no `managed-instance/*`'
    """
    rows = [
        {"policy": used.policy.name, "statement": sid or str(index + 1), "index": index, "finding": name, **words}
        for used in Site(snapshot, other_ways).used
        for sid, index in [(used.statement.sid, used.statement.index)]
        for name, words in _find(used)
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).drop_duplicates(ignore_index=True).astype({"index": "int64"})


def _find(used: Used) -> Iterator[tuple[str, dict[str, str]]]:
    """The rules that a statement trips, with their words."""
    for name, words in _WORDS.items():
        places = used.statement.conditions if name in ON_CONDITION else (None,)
        for condition in places:
            found = ON_CONDITION[name](used, condition) if condition else ON_STATEMENT[name](used)
            if found:
                yield name, {**words, "what": _say(words["what"], found, used, condition)}


def _say(what: str, found: Found, used: Used, condition: Condition | None) -> str:
    """The sentence, with what it names of the statement and the condition."""
    given = {"effect": used.statement.effect, "resources": _code(used.texts), "tags": _code(c.key for c in used.tags)}
    if condition:
        given |= {"operator": condition.operator, "key": condition.key, "values": _code(condition.values)}
        given["absent"] = "holds" if holds_without(condition) else "fails"
    regions = _code(sorted(used.document_regions))
    return what.format(*found, found=_code(found), rest=_code(found[1:]), regions=regions, **given)


def _code(texts: Iterable[str]) -> str:
    """Texts in backticks, the first few of them."""
    listed = list(dict.fromkeys(texts))
    more = f" and {len(listed) - _MOST} more" if len(listed) > _MOST else ""
    return ", ".join(f"`{text}`" for text in listed[:_MOST]) + more
