"""The organization: which service and resource control policies apply to an account, level by level.

Sources: shapes of the `organizations` calls; Organizations User Guide, `orgs_manage_policies_scps`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from ssmlab.snapshots.bodies import to_object
from ssmlab.snapshots.files import Folder, Spot
from ssmlab.snapshots.iam import AccessRows, account_of

_LAYERS: Final = {  # layer → type of policy, its name, ending of the files
    "scp": ("SERVICE_CONTROL_POLICY", "service control policies", ""),
    "rcp": ("RESOURCE_CONTROL_POLICY", "resource control policies", ".rcp"),
}
_NOT_FOUND: Final = "organization"  # stands for the levels of an account that was not found
Levels = Mapping[str, tuple[str, ...]]


def read_organization(folder: Folder, access: AccessRows, accounts: Sequence[str]) -> tuple[pd.DataFrame, str | None]:
    """The levels of accounts, root first, and the id of the management account, which has none: nothing binds it.

    Columns: `account`; `level`, from 0; `target`, the id of the root, unit or account; `scp` and `rcp`, whether
    policies of that kind are in force. Policies that were not collected are added to `access` without a document.
    """
    roots, chains = dict[str, Any](), dict[str, tuple[str, ...]]()
    management: str | None = None
    if accounts and "organizations" in folder.folders:
        is_alone, management = _read_head(folder)
        if is_alone:
            return _to_frame([]), None
        roots = folder.listing("organizations/list-roots").items
        management = management or _read_root(folder, roots)
        chains = _walk(folder, roots)
    bound = {account: chains.get(account, (_NOT_FOUND,)) for account in accounts if account != management}
    for target in dict.fromkeys(target for chain in bound.values() for target in chain):
        for layer in _LAYERS:
            _attach(folder, access, target, layer)
    in_force = [_is_in_force(layer, roots, access) for layer in _LAYERS]
    rows = [(account, *level, *in_force) for account, chain in bound.items() for level in enumerate(chain)]
    return _to_frame(rows), management


def without_organization(frames: Mapping[str, Any]) -> dict[str, Any]:
    """The frames of a stored snapshot as if its accounts were in no organization."""
    policies, noted = frames["policies"], frames["noted"]
    return {
        **frames,
        "organization": _to_frame([]),
        "policies": policies[~policies["layer"].isin([*_LAYERS])],
        "noted": noted[~noted["file"].str.startswith("organizations")].reset_index(drop=True),
        "management_account": None,
    }


def _to_frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    dtypes = {"account": "str", "level": "int64", "target": "str", "scp": "bool", "rcp": "bool"}
    return pd.DataFrame(rows, columns=list(dtypes)).astype(dtypes)


def _read_head(folder: Folder) -> tuple[bool, str]:
    """Is the account in no organization (an empty object, or the error that AWS gives); which account manages it?"""
    for spot, body in folder.read("organizations/describe-organization").values:
        if body == {} or "AWSOrganizationsNotInUse" in str(body):
            return True, ""
        if account := folder.problems.text(spot, body, "Organization", "MasterAccountId"):
            return False, account
    return False, ""


def _read_root(folder: Folder, roots: Mapping[str, Any]) -> str | None:
    """The management account, which stands in the ARN of the root too: `arn:aws:organizations::ACCOUNT:root/…`."""
    for root in roots.values():
        if account := account_of(root.get("Arn") or ""):
            return account
    what = "not collected: which account is the management account"
    folder.problems.warning(Spot("organizations/describe-organization.json"), what)
    return None


def _walk(folder: Folder, roots: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Account → ids from the root down to the account itself."""
    found: dict[str, tuple[str, ...]] = {}
    chains: list[tuple[str, ...]] = [(root,) for root in roots]
    seen = set(roots)
    for chain in chains:  # which grows while it is read
        units = folder.listing(f"organizations/list-organizational-units-for-parent/{chain[-1]}").items
        chains += [(*chain, unit) for unit in units if unit not in seen]
        seen |= units.keys()
        for account in folder.listing(f"organizations/list-accounts-for-parent/{chain[-1]}").items:
            found.setdefault(account, (*chain, account))
    return found


def _attach(folder: Folder, access: AccessRows, target: str, layer: str) -> None:
    """The policies of one kind that are attached to a target, each with its document if there is one."""
    _, words, ending = _LAYERS[layer]
    call = f"organizations/list-policies-for-target/{target}{ending}"
    if target == _NOT_FOUND:
        access.attach(f"{words}: not collected", Spot("organizations"), target, layer=layer)
        return
    found = folder.listing(call)
    if not found.complete:
        access.attach(f"{words} of {target}", Spot(f"{call}.json"), target, layer=layer)
    for policy, item, spot in found.rows():
        if policy not in access.policies:
            _add_policy(folder, access, policy, item.get("Name") or policy, layer)
        access.attach(policy, spot, target, layer=layer)


def _add_policy(folder: Folder, access: AccessRows, policy: str, name: str, layer: str) -> None:
    call = f"organizations/describe-policy/{policy}"
    document, place = None, Spot(f"{call}.json", "$")
    for spot, body in folder.read(call, exact=True).values:
        if content := folder.problems.text(spot, body, "Policy", "Content"):
            document, place = to_object(content), spot.below(".Policy.Content")
    access.attach(policy, place, document=document, layer=layer, name=name)


def _is_in_force(layer: str, roots: Mapping[str, Mapping[str, Any]], access: AccessRows) -> bool:
    """Policies of a kind bind nobody while the root has not enabled the kind; then none are attached either."""
    types = [entry for root in roots.values() for entry in root.get("PolicyTypes") or ()]
    is_enabled = {"Type": _LAYERS[layer][0], "Status": "ENABLED"} in types
    return is_enabled or not roots or any(row.layer == layer for row in access.policies.values())
