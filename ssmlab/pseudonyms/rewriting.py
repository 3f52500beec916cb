"""The frames of a snapshot, rewritten with other names, and decided again."""

from dataclasses import replace
from typing import Any, Final

import pandas as pd

from ssmlab.policies import scalar_text
from ssmlab.pseudonyms.names import Names
from ssmlab.reachability import reach
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.bodies import rebuild
from ssmlab.snapshots.schema import SCHEMAS, TAG, conform, list_tags

_AS_IT_IS: Final = ("Version", "Effect", "Action", "NotAction", "Service")
_COLUMNS: Final = {
    "principals": "name account path groups boundary trust instance_profiles",
    "policies": "name account attached_to document",
    "nodes": "node_id account name instance_profile iam_role default_role",
    "documents": "name owner account shared_with",
}
# Texts that may hold anything: where a policy stood in the files, the scripts in documents.
_LEFT_OUT: Final[dict[str, dict[str, Any]]] = {"policies": {"file": "", "where": "$"}, "documents": {"content": None}}


def pseudonymise(snapshot: Snapshot, seed: int = 0) -> Snapshot:
    """A copy with other account ids, names, ids, addresses and tag values, in which everybody reaches the same.

    The same word becomes the same one everywhere. What is AWS's stays: actions, condition keys (and so tag keys),
    Regions, the words of ARNs, AWS-owned documents and policies, platforms and states. Contents of documents and places
    in files are left out. The same snapshot and seed give the same pseudonyms; another snapshot gives others, so that
    nobody finds a name by trying. Pieces of words that wildcards cut out (`web*`) share one exchange of letters: a
    reader may guess these.

    Raises
    ------
    ValueError
        Where `ssm:SendCommand` is decided otherwise than before, with principal, node and document, or where there are
        more short words than pseudonyms of their length.

    Examples
    --------
    >>> import ssmlab
    >>> snapshot = ssmlab.load("data/sample")
    >>> other = ssmlab.pseudonymise(snapshot)
    >>> [len(own.principals.index.intersection(snapshot.principals.index)) for own in (snapshot, other)]
    [31, 0]
    >>> [int(ssmlab.reach(own).summary()["pairs"].sum()) for own in (snapshot, other)]
    [2836, 2836]
    """
    names = Names()
    _rewrite(snapshot, names)
    names.settle(seed)
    made = Snapshot.compile(**_rewrite(snapshot, names))
    _verify(snapshot, made)
    return made


def _rewrite(snapshot: Snapshot, names: Names) -> dict[str, Any]:
    """All that a snapshot is made of."""
    made: dict[str, Any] = {name: _rewrite_frame(getattr(snapshot, name), name, names) for name in SCHEMAS}
    organization, noted, management = snapshot.organization, snapshot.noted, snapshot.management_account
    ids = {name: organization[name].map(names.text) for name in ("account", "target")}
    return made | {
        "organization": organization.assign(**ids).astype(organization.dtypes),
        "noted": noted.assign(file="", where="", what=noted["what"].map(names.message)).astype(noted.dtypes),
        "management_account": management and names.text(management),
    }


def _rewrite_frame(frame: pd.DataFrame, name: str, names: Names) -> pd.DataFrame:
    """Columns of no schema are left out: they may hold anything."""
    schema, changed = SCHEMAS[name], dict(_LEFT_OUT.get(name, {}))
    tags = list_tags(frame)
    for column in _COLUMNS[name].split():
        changed[column] = frame[column].astype("object").map(lambda value: _walk(value, names), na_action="ignore")
    for column in tags:
        key = column.removeprefix(TAG).lower()
        names.values.setdefault(key, set()).update(frame[column].dropna())
        read = next((known for known in sorted(names.numeric) if known.endswith(f"/{key}")), "")
        changed[column] = [value if pd.isna(value) else names.value(read, value) for value in frame[column]]
    names.values.setdefault("", set()).update(frame["name"].dropna(), frame["account"].dropna())
    if name == "policies":
        changed["document"] = changed["document"].mask(frame.index.str.contains(":iam::aws:"), frame["document"])
    index = pd.Index([names.text(value) for value in frame.index], dtype="str", name=schema.index)
    return conform(name, frame[[*schema.columns, *tags]].assign(**changed).set_axis(index))


def _walk(value: Any, names: Names, key: str = "") -> Any:
    """A text, texts, or a policy or part of one; `key`: what it stands under."""
    if key in _AS_IT_IS:
        return value
    if isinstance(value, list | tuple):
        return type(value)(_walk(item, names) for item in value)
    if isinstance(value, dict):
        walk = _walk_operator if key == "Condition" else _walk
        return rebuild(value, [(own, walk(item, names, own)) for own, item in value.items()])
    if type(value) is int:
        text = names.text(str(value))
        return int(text) if str(int(text)) == text else text  # no number begins with 0, an account may
    return names.text(value) if isinstance(value, str) else value


def _walk_operator(keys: Any, names: Names, operator: str) -> Any:
    """The keys of one condition operator. The name of an identity provider, before the colon, is one's own."""
    kind = operator.rpartition(":")[2]
    if not isinstance(keys, dict) or kind.startswith(("Bool", "Null")):
        return keys
    if kind.startswith(("Numeric", "Date")):
        names.numeric.update(key.lower() for key in keys)
        return keys
    spelt = {key: names.text(key) if "." in key.partition(":")[0] else key for key in keys}
    return rebuild(keys, [(spelt[key], _walk_values(kind, key, value, names)) for key, value in keys.items()])


def _walk_values(kind: str, key: str, value: Any, names: Names) -> Any:
    if isinstance(value, list):
        return [_walk_values(kind, key, item, names) for item in value]
    if isinstance(value, bool | dict) or value is None:
        return _walk(value, names)
    text = scalar_text(value)
    return names.address(text) if "IpAddress" in kind else names.value(key.lower(), text)


def _verify(before: Snapshot, after: Snapshot) -> None:
    """Decide both, and compare them row by row."""
    sides = ("principals", "nodes", "documents")
    named = {name: getattr(after, name).set_axis(getattr(before, name).index) for name in sides}
    found = reach(before).compare(replace(reach(after), snapshot=replace(after, **named)), limit=1)
    for row in found.itertuples():
        where = f"`{row.principal}` with `{row.document}` on `{row.example}`"
        raise ValueError(f"expected the same reach under pseudonyms, got `{row.after}` for {where}, was `{row.before}`")
