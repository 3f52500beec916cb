"""The rules: for each, what in a statement or a condition is amiss; `rules.json` has the words."""

from collections.abc import Callable, Sequence
from typing import Final

from ssmlab.conditions import Condition, parse_operator
from ssmlab.explanation import last_part
from ssmlab.findings.around import find_way_round
from ssmlab.findings.tagging import find_change
from ssmlab.findings.used import AWS_NAMES, EXAMPLES, NODES, SEND, Used, holds_without, misspelt, reached_by
from ssmlab.patterns import is_wild, parse_text, variable_keys
from ssmlab.services import ACTIONS, REACH_ACTIONS, SECOND_CHECK, TAG_KEYS, condition_doubts, list_names
from ssmlab.words import find_near

Found = Sequence[str]  # nothing: no finding
_SCRIPTS: Final = (
    *("AWS-RunShellScript", "AWS-RunPowerShellScript", "AWS-RunRemoteScript", "AWS-RunDocument", "AWS-RunSaltState"),
    *("AWS-ApplyAnsiblePlaybooks", "AWS-RunAnsiblePlaybook", "AWS-ApplyChefRecipes", "AWS-InstallPowerShellModule"),
)
_OUTPUT: Final = ("ssm:ListCommandInvocations", "ssm:GetCommandInvocation", "ssm:ListCommands")
_MFA: Final = "aws:multifactorauthpresent"
_TAGGED: Final = (*TAG_KEYS, "ec2:resourcetag/", "aws:requesttag/", "aws:principaltag/")
# Global keys that hold several values end so. [IAM User Guide, reference_policies_condition-keys]
_ARRAYS: Final = ("tagkeys", "calledvia", "paths", "list")
_OLD: Final = "2008-10-17"


# --- One condition ---


def _not_supplied(used: Used, condition: Condition) -> Found:
    named = [ACTIONS[name] for name in used.statement.actions if name in ACTIONS and ACTIONS[name].is_complete]
    kinds = {action.name: [kind.name for kind in action.resource_types] or [""] for action in named}
    supplied = {a.name for a in named for kind in kinds[a.name] if a.supplies(condition.keys[0], kind)}
    return [a.name for a in named if a.name in used.reached and a.name not in supplied]


def _tested_too(used: Used, condition: Condition) -> Found:
    """The operators that want a value of a key which `Null` wants absent."""
    if condition.operator != "Null" or any(value.lower() != "true" for value in condition.values):
        return ()
    same = [other for other in used.statement.conditions if other.keys[0] == condition.keys[0]]
    return [other.operator for other in same if not holds_without(other)]


def _bad_null(_: Used, condition: Condition) -> Found:
    is_good = {value.lower() for value in condition.values} in ({"true"}, {"false"})
    return condition.values if condition.operator == "Null" and not is_good else ()


def _bool_false(_: Used, condition: Condition) -> Found:
    is_plain = parse_operator(condition.operator)[1:] == ("Bool", False) and condition.keys[0] == _MFA
    return [value for value in condition.values if is_plain and value.lower() != "true"]


def _all_of_one(used: Used, condition: Condition) -> Found:
    key, is_all = condition.keys[0], condition.operator.startswith("ForAllValues:")
    is_single = key.startswith(_TAGGED) or (key.startswith("aws:") and not key.endswith(_ARRAYS))
    guards = [other for other in used.statement.conditions if other.keys[0] == key and not holds_without(other)]
    return [key] if is_all and is_single and not guards and used.statement.effect == "Allow" else ()


def _spellings(used: Used, condition: Condition) -> Found:
    spelt = used.site.spellings[condition.keys[0].split("/", 1)[1]] if condition in used.tags else ()
    return spelt if len(spelt) > 1 else ()


def _second_check(used: Used, condition: Condition) -> Found:
    def helps(other: Used) -> bool:
        return other.allows(SEND) and any(c.keys[0] == "aws:viaawsservice" for c in other.statement.conditions)

    is_global = SECOND_CHECK in condition_doubts(SEND, "", condition.keys[:1])
    return [SEND] if is_global and used.layer == "identity" and used.allows(SEND) and used.is_alone(helps) else ()


def _no_wildcard(_: Used, condition: Condition) -> Found:
    tokens = [parse_text(value) for value in condition.values]
    is_like = parse_operator(condition.operator)[1] in ("StringLike", "StringNotLike")
    return condition.values if is_like and not any(is_wild(t) or variable_keys(t) for t in tokens) else ()


def _plain_wildcard(_: Used, condition: Condition) -> Found:
    is_equal = "Equals" in condition.operator and "String" in condition.operator
    return [value for value in condition.values if is_equal and is_wild(parse_text(value))]


def _wild_key(_: Used, condition: Condition) -> Found:
    return [condition.key] if is_wild(parse_text(condition.key)) else ()


ON_CONDITION: Final[dict[str, Callable[[Used, Condition], Found]]] = {
    "key-not-supplied": _not_supplied,
    "null-and-test": _tested_too,
    "null-value": _bad_null,
    "bool-false-on-absent-key": _bool_false,
    "for-all-values-on-one-value": _all_of_one,
    "tag-keys-by-case": _spellings,
    "second-check": _second_check,
    "wildcard-under-equals": _plain_wildcard,
    "wildcard-in-key": _wild_key,
    "like-without-wildcard": _no_wildcard,
}

# --- One statement ---


def _void_actions(used: Used) -> Found:
    listed = () if used.takes_in("*") or used.statement.not_action or not used.texts else used.statement.actions
    reached = {pattern: reached_by((pattern,)) for pattern in listed}
    return [p for p, names in reached.items() if names and not any(ACTIONS[n].is_resource_level for n in names)]


def _misspelt(used: Used) -> Found:
    """The first action that there is not, and, as a clause, the one that may be meant."""
    for text in misspelt(used.statement.actions):
        near = find_near(text, list_names())
        return text, f" (perhaps `{near[0]}`)" if near else ""
    return ()


def _on_aws_documents(used: Used) -> Found:
    return used.texts if used.allows(SEND) and used.wants_tags and used.kinds == {"document"} else ()


def _gives_documents(used: Used) -> bool:
    return used.allows(SEND) and not used.wants_tags and ("document" in used.kinds or used.document_regions != set())


def _for_both(used: Used) -> Found:
    is_both = used.allows(SEND) and used.wants_tags and used.kinds > {"document"} and used.layer != "scp"
    return [c.key for c in used.tags] if is_both and used.is_alone(_gives_documents) else ()


def _account_of_aws(used: Used) -> Found:
    return [text for text, parts in used.arns.items() if parts[4].isdigit() and parts[5].startswith(AWS_NAMES)]


def _other_partition(used: Used) -> Found:
    wanted = {partition for person in used.people for partition in used.site.places(person).values()}
    named = [text for text, parts in used.arns.items() if parts[1] not in wanted and parts[1] in used.literals(1)]
    return named if len(named) == len(used.texts) else ()


def _plain_variables(used: Used) -> Found:
    texts = [*used.texts, *(value for condition in used.statement.conditions for value in condition.values)]
    return [text for text in texts if "${" in text and used.policy.version == _OLD]


def _old_language(used: Used) -> Found:
    has_variables = any("${" in str(statement.source) for statement in used.policy.statements)
    return [_OLD] if used.policy.version == _OLD and used.place == 0 and not has_variables else ()


def _without_hybrid(used: Used) -> Found:
    def helps(other: Used, action: str) -> bool:
        named = any(parts[5].startswith("managed-instance/") for parts in other.arns.values())
        return other.allows(action) and ("managed-instance" in other.kinds or named)

    actions = [a for a in REACH_ACTIONS if used.allows(a) and "instance" in used.kinds and used.layer != "scp"]
    return [a for a in actions if used.is_alone(lambda other, action=a: helps(other, action))]  # type: ignore[misc]


def _regions_without(used: Used) -> Found:
    """Regions where somebody's nodes are allowed and no document is."""
    for person in used.people if _gives_documents(used) and used.document_regions else ():
        sending = [other for other in used.site.beside(person, used.layer) if other.allows(SEND)]
        named = [other.document_regions for other in sending if _gives_documents(other)]
        away = [r for r in used.site.places(person) if all(regions and r not in regions for regions in named)]
        if found := [r for r in away if any(other.covers(kind, r) for other in sending for kind in NODES)]:
            return found
    return ()


def _scripts_everywhere(used: Used) -> Found:
    """Somebody, and the documents that run anything on all nodes for them."""
    kinds = used.kinds & NODES if used.allows(SEND) and not used.tags and used.layer == "identity" else ()
    for person in used.people if kinds else ():
        limits = [a.statement for a in person.policies.relevant(SEND) if a.place != ("identity", 0)]
        if any(key.startswith(TAG_KEYS) for s in limits for c in s.conditions for key in c.keys):
            continue
        for region in used.literals(3) or used.site.places(person):
            place = (person.caller.arn.split(":")[1], region, person.caller.account)
            may = [used.site.decide(person, SEND, EXAMPLES[kind].format(*place)) for kind in kinds]
            arns = {name: EXAMPLES["document"].format(*place, name) for name in _SCRIPTS if any(may)}
            if names := [name for name, arn in arns.items() if used.site.decide(person, SEND, arn)]:
                return [last_part(person.caller.arn), *names]
    return ()


def _everyones(used: Used, actions: Sequence[str]) -> Found:
    is_wide = used.layer == "identity" and used.takes_in("*")
    listed = [action for action in actions if is_wide and used.allows(action)]
    return [a for a in listed if any(used.site.decide(person, a, "*") for person in used.people)]


ON_STATEMENT: Final[dict[str, Callable[[Used], Found]]] = {
    "misspelt-action": _misspelt,
    "list-action-on-arn": _void_actions,
    "tags-on-aws-documents": _on_aws_documents,
    "one-statement-for-both": _for_both,
    "account-in-aws-document": _account_of_aws,
    "other-partition": _other_partition,
    "variables-without-version": _plain_variables,
    "no-version": _old_language,
    "hybrid-nodes-left-out": _without_hybrid,
    "documents-in-few-regions": _regions_without,
    "tags-can-be-changed": find_change,
    "tags-can-be-walked-round": find_way_round,
    "scripts-on-all-nodes": _scripts_everywhere,
    "shows-everyones-commands": lambda used: _everyones(used, _OUTPUT),
    "cancels-everyones-commands": lambda used: _everyones(used, ("ssm:CancelCommand",)),
}
