"""ssmlab: who reaches which nodes with which documents through AWS Run Command, from files, offline.

>>> import ssmlab
>>> snapshot = ssmlab.load("data/sample")
>>> reach = ssmlab.reach(snapshot)
>>> reach.outcome("web-ops", "i-0123456789abcdef0", "AWS-RunShellScript").value
'allowed'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

__version__ = "0.1.0"

# Module → the public names in it; none: the module itself. Each is imported when it is first asked for: who only asks
# for help, or mistypes a path, does not wait for pandas, and who asks on the command line not for matplotlib.
_NAMES: Final = {
    "commands": "",
    "drawing": "draw_graph",
    "evaluation": "Decision Outcome PolicySet Request evaluate",
    "events": "",
    "expectations": "ExpectationError check_expectations",
    "explanation": "Explanation",
    "findings": "check_policies",
    "graphs": "to_networkx",
    "logs": "",
    "paths": "Paths find_paths",
    "policies": "PolicyError",
    "pseudonyms": "pseudonymise",
    "reachability": "Reach reach",
    "readiness": "check_readiness",
    "snapshots": "LoadError Snapshot load",
    "widgets": "",
    "workshop": "",
}
_HOMES: Final = {name: module for module, names in _NAMES.items() for name in names.split() or [module]}
__all__ = [*_HOMES]

if TYPE_CHECKING:  # the same for mypy; a test compares them
    from ssmlab import commands as commands, events as events, logs as logs, widgets as widgets, workshop as workshop
    from ssmlab.drawing import draw_graph as draw_graph
    from ssmlab.evaluation import (
        Decision as Decision,
        Outcome as Outcome,
        PolicySet as PolicySet,
        Request as Request,
        evaluate as evaluate,
    )
    from ssmlab.expectations import ExpectationError as ExpectationError, check_expectations as check_expectations
    from ssmlab.explanation import Explanation as Explanation
    from ssmlab.findings import check_policies as check_policies
    from ssmlab.graphs import to_networkx as to_networkx
    from ssmlab.paths import Paths as Paths, find_paths as find_paths
    from ssmlab.policies import PolicyError as PolicyError
    from ssmlab.pseudonyms import pseudonymise as pseudonymise
    from ssmlab.reachability import Reach as Reach, reach as reach
    from ssmlab.readiness import check_readiness as check_readiness
    from ssmlab.snapshots import LoadError as LoadError, Snapshot as Snapshot, load as load
else:

    def __getattr__(name: str) -> Any:
        if name in _NAMES:
            return import_module(f"ssmlab.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module `ssmlab` has no attribute `{name}`")
        return globals().setdefault(name, getattr(import_module(f"ssmlab.{_HOMES[name]}"), name))

    def __dir__() -> list[str]:
        return sorted([*__all__, "__version__"])
