"""`load`: whatever form the files have, one `Snapshot`."""

from pathlib import Path
from typing import Final

from tqdm.auto import tqdm

from ssmlab.snapshots.documents import DocumentRows
from ssmlab.snapshots.files import Folder, LoadError
from ssmlab.snapshots.iam import AccessRows
from ssmlab.snapshots.memory import without_collector
from ssmlab.snapshots.nodes import NodeRows
from ssmlab.snapshots.organizations import read_organization, without_organization
from ssmlab.snapshots.schema import listed
from ssmlab.snapshots.snapshot import Snapshot
from ssmlab.snapshots.spreadsheet import ATTACHMENTS, read_inventory, read_loose_policies, read_policy
from ssmlab.snapshots.storage import is_stored, read_frames
from ssmlab.snapshots.tags import Export, Place, find_places, note_case_twins

_FILES: Final = (".csv", ".json")


def load(path: str | Path, *, organization: str = "collected") -> Snapshot:
    """Load files into frames.

    Parameters
    ----------
    path
        A folder of AWS CLI output; an inventory `.csv`, with `policies/` and `attachments.csv` beside it; a policy
        `.json`; or a folder that `Snapshot.to_parquet` wrote.
    organization
        "none": the accounts are in no organization, so that nothing is unknown where its files were not collected.

    Returns
    -------
    Snapshot
        Everything that could be read. What was skipped, is doubtful or was not collected stands in `problems`.

    Raises
    ------
    LoadError
        If nothing can be loaded.

    Examples
    --------
    >>> import ssmlab
    >>> snapshot = ssmlab.load("data/sample")
    >>> str(snapshot.nodes.loc["arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0", "tag:Finance"])
    'WebServers'
    """
    if organization not in ("collected", "none"):
        raise ValueError(f"expected `collected` or `none` as organization, got `{organization}`")
    where = Path(path)
    if is_stored(where):
        frames = read_frames(where)
        return Snapshot.compile(**(without_organization(frames) if organization == "none" else frames))
    if where.is_dir():
        rows = _Rows(where)
        with without_collector():
            _read_folder(rows)
        return rows.finish(is_alone=organization == "none" or not rows.folder.accounts())
    if not where.is_file() or where.suffix.lower() not in _FILES:
        got = f"`{where.suffix}`" if where.exists() else "nothing there"
        raise LoadError(str(path), "", f"a folder, or a file that ends in {listed(_FILES)}", got)
    rows = _Rows(where.resolve().parent)
    _read_file(rows, where.resolve())
    return rows.finish(is_alone=True)


class _Rows:
    """What is gathered before it becomes frames."""

    def __init__(self, root: Path) -> None:
        self.folder = Folder(root)
        self.access, self.nodes = AccessRows(self.folder), NodeRows(self.folder)
        self.documents = DocumentRows(self.folder)

    def finish(self, *, is_alone: bool) -> Snapshot:
        """The snapshot. `is_alone`: the accounts are in no organization."""
        folder, nodes = self.folder, self.nodes.frame()
        placed = nodes[["account", "region"]].drop_duplicates().itertuples(index=False)
        places = {*find_places(folder), *(Place(*map(str, place)) for place in placed)}
        accounts = {place.account for place in places}.union(folder.accounts())
        accounts |= {principal.account for principal in self.access.principals.values()}
        organization, management = read_organization(folder, self.access, () if is_alone else sorted(accounts))
        principals, policies = self.access.finish(accounts, {place.account: place.partition for place in places})
        documents = self.documents.frame(places)
        for frame in (nodes, documents, principals):
            note_case_twins(frame, folder.problems)
        frames = {"principals": principals, "policies": policies, "nodes": nodes, "documents": documents}
        noted = folder.problems.frame()
        return Snapshot.compile(**frames, organization=organization, noted=noted, management_account=management)


def _read_folder(rows: _Rows) -> None:
    folder = rows.folder
    folder.scan()
    inventories = [path for path in folder.find("*.csv") if path.name != ATTACHMENTS]
    if not folder.files and not inventories and not folder.find("policies/*.json"):
        wanted = "account folders with output of the AWS CLI, an inventory `.csv` or `policies/`"
        got = "none of them" if any(folder.root.iterdir()) else "an empty folder"
        raise LoadError(str(folder.root), "", wanted, got)
    for account in folder.accounts():
        rows.access.add(account)
    for place in tqdm(find_places(folder), "loading", unit=" Regions", delay=1, leave=False):
        export = Export(folder, place)
        rows.nodes.add(place, export)
        rows.documents.add(place, export)
    for path in inventories:
        read_inventory(folder, path, rows.nodes)
    read_loose_policies(folder, rows.access)


def _read_file(rows: _Rows, path: Path) -> None:
    is_inventory = path.suffix.lower() == ".csv"
    if is_inventory:
        read_inventory(rows.folder, path, rows.nodes)
    else:
        read_policy(rows.folder, rows.access, path)
    if rows.folder.problems.first and not rows.nodes.spots() and not rows.access.policies:
        raise rows.folder.problems.first
    if is_inventory:
        read_loose_policies(rows.folder, rows.access)
