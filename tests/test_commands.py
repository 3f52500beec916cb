"""A command's life: every rule as a case, and what holds of all commands."""

import copy
import pickle
import re
from collections import Counter
from typing import Any

import pandas as pd
import pytest
from casebook import Case, answer, load_cases
from fleets import make_fleet, sample, send
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ssmlab
from ssmlab.commands import AccessDenied, Answer, Command, CommandError, send_command
from ssmlab.commands.statuses import READINGS, UNSURE, choose_readings, status_of
from ssmlab.events import Rule

NODE = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0000000000000000"
ROLE = "arn:aws:iam::123456789012:role/NodeRole"
START = pd.Timestamp("2026-01-05T09:00:00Z")
# StatusDetails → what may follow: of a node, of a command.
NEXT = {
    None: ("Pending",),
    "Pending": (
        *("InProgress", "AccessDenied", "InvalidPlatform", "Undeliverable"),
        *("Terminated", "Cancelled", "DeliveryTimedOut"),
    ),
    "InProgress": ("Delayed", "Success", "Failed", "ExecutionTimedOut", "DeliveryTimedOut", "Cancelled", "Terminated"),
    "Delayed": ("InProgress", "DeliveryTimedOut", "Cancelled", "Terminated"),
}
NEXT_OF_COMMAND = {
    None: ("Pending",),
    "Pending": ("InProgress", "Cancelling", "NoInstancesInTag", "AccessDenied", "RateExceeded", "FailedDueToAlarm"),
    "InProgress": (
        *("Cancelling", "Success", "Failed", "DeliveryTimedOut", "ExecutionTimedOut", "Incomplete", "FailedDueToAlarm"),
    ),
    "Cancelling": ("Cancelled",),
}
SLOW = settings(max_examples=15, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("case", load_cases("commands"))
def test_a_command_ends_as_aws_says(case: Case) -> None:
    assert answer("commands", case) == case


# --- Statuses ---


def history(command: Command, node: str | None) -> list[list[str]]:
    rows = command.history["node"].isna() if node is None else command.history["node"] == node
    return command.history.loc[rows, ["status", "status_details"]].to_numpy().tolist()


def test_a_node_that_is_not_connected_is_delayed_and_still_pending() -> None:
    command = send("offline")
    assert history(command, f"{NODE}1") == [
        ["Pending", "Pending"],
        ["InProgress", "InProgress"],
        ["Pending", "Delayed"],
        ["TimedOut", "DeliveryTimedOut"],
    ]
    assert history(command, None) == [
        ["Pending", "Pending"],
        ["InProgress", "InProgress"],
        ["TimedOut", "DeliveryTimedOut"],
    ]
    assert command.doubts == (READINGS["delivery_timeouts"].note, UNSURE["Delayed"])


def test_a_cancelled_command_is_cancelling_first() -> None:
    command = send("slow", cancel_after=5)
    assert [details for _, details in history(command, None)] == ["Pending", "InProgress", "Cancelling", "Cancelled"]
    assert command.invocations[["status", "response_code"]].to_numpy().tolist() == [["Cancelled", 137]]


def test_nodes_that_an_alarm_stops_have_no_code_and_are_no_errors() -> None:
    command = send("ok slow", alarm_after=30)
    assert command.invocations["response_code"].tolist() == [0, -1]
    assert (command.counts["CompletedCount"], command.counts["ErrorCount"]) == (2, 0)
    assert (command.reason, command.doubts) == ("an alarm of the command went off", (UNSURE["Terminated"],))


@pytest.mark.parametrize(
    ("words", "call", "expected"),
    [
        ("ok", {}, ["Success", 0]),
        ("fails", {}, ["Failed", 7]),
        ("hangs", {}, ["TimedOut", 137]),
        ("offline", {}, ["TimedOut", -1]),
        ("denied", {}, ["Failed", -1]),
        ("windows", {}, ["Failed", -1]),
        ("unmanaged", {}, ["Failed", -1]),
    ],
)
def test_status_and_response_code_of_a_node(words: str, call: dict[str, Any], expected: list[Any]) -> None:
    assert send(words, **call).invocations[["status", "response_code"]].to_numpy().tolist() == [expected]


def test_counts_as_list_commands_shows_them() -> None:
    assert send("ok denied fails offline hangs", max_errors=5).counts == {
        "TargetCount": 5,
        "CompletedCount": 5,
        "ErrorCount": 2,
        "DeliveryTimedOutCount": 1,
    }


def test_a_mostly_refused_command_says_why_it_is_a_success_and_that_this_is_open() -> None:
    command = send("ok denied*4")
    assert command.reason == "1 of 5 nodes ended in Success; 4 refused, which is no error"
    assert command.doubts == (READINGS["refused"].note,)
    assert command.invocations["reason"].iloc[1] == "ssm:SendCommand on this node is implicitDeny"
    assert command.explain(f"{NODE}2").nearest == (
        "the node's tag `Finance` is `Other`, the policy wants `WebServers` (policy Page-1-OneTag, statement 2)",
        "no other statement (identity) allows the node",
    )


def test_refused_not_managed_and_of_another_platform_are_told_apart() -> None:
    command = send("ok denied*2 windows unmanaged")
    told = "2 refused, 1 of another platform, 1 stopped or not managed"
    assert command.reason == f"1 of 5 nodes ended in Success; {told}, which is no error"
    assert send("denied*2 windows unmanaged").reason == f"no node could run it: {told}"
    assert command.invocations["reason"].iloc[4] == "the node is not managed by Systems Manager"


def test_a_node_that_is_not_sent_to_says_why() -> None:
    reasons = send("fails*2 ok", max_concurrency=1).invocations["reason"]
    assert reasons.iloc[2] == "not sent: max_errors is 0, and 1 failed or timed out before"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"max_errors": "many"}, "expected a number, or a percentage such as `10%`, as `maxErrors`, got `many`"),
        ({"max_concurrency": 0}, "expected a number from 1, or a percentage such as `10%`, as `maxConcurrency`, got `0`"),
    ],
)  # fmt: skip
def test_a_limit_that_cannot_be_read_is_refused_in_words(call: dict[str, Any], said: str) -> None:
    with pytest.raises(CommandError, match=re.escape(said)):
        send("ok", **call)


def test_every_reading_can_be_turned_and_no_other() -> None:
    other = {name: reading.other for name, reading in READINGS.items()}
    assert choose_readings(other) == other
    with pytest.raises(ValueError, match=r"^expected readings of `refused`, .*, got `x`$"):
        choose_readings({"x": "y"})
    with pytest.raises(ValueError, match=r"^expected `refused` as `success` or `incomplete`, got `y`$"):
        choose_readings({"refused": "y"})
    assert [status_of(name) for name in ("Terminated", "Delayed", "Success")] == ["Failed", "Pending", "Success"]


# --- Sending ---


def begun(command: Command) -> list[float]:
    rows = (command.history["status_details"] == "InProgress") & command.history["node"].notna()
    return [round((time - START).total_seconds(), 3) for time in command.history.loc[rows, "time"]]


def test_the_command_goes_to_one_node_then_two_then_four_up_to_the_limit() -> None:
    times = begun(send("slow*20", max_concurrency=5))
    assert list(Counter(times).values())[:3] == [1, 2, 2]  # of the third batch of four, two find a place
    assert len(times) == 20


def test_all_at_once_comes_after_one_two_four_and_eight() -> None:
    assert [*Counter(begun(send("slow*40", max_concurrency="100%"))).values()] == [1, 2, 4, 8, 16, 9]


def test_never_more_nodes_at_once_than_max_concurrency() -> None:
    command = send("slow*30", max_concurrency="10%")
    running, most = set(), 0
    for node, details in command.history[["node", "status_details"]].dropna().itertuples(index=False):
        (running.add if details == "InProgress" else running.discard)(node)
        most = max(most, len(running))
    assert most == 3


def test_a_percentage_that_is_no_whole_number_is_rounded_down_and_told() -> None:
    command = send("fails*3", max_errors="50%", max_concurrency=1)
    assert command.invocations["status_details"].tolist() == ["Failed", "Failed", "Terminated"]
    assert command.notes == ("`50%` of 3 nodes is rounded down; how AWS rounds is not documented",)


@pytest.mark.parametrize(
    ("timeout", "execution", "seconds"),
    [(120, "10", 130), (30, "10", 40), (30, "2", 32), (30, None, 3630), (None, None, 7200), (600, "3600", 4200)],
)
def test_a_command_expires_after_both_timeouts(timeout: int | None, execution: str | None, seconds: int) -> None:
    parameters = {"commands": "date"} | ({"executionTimeout": execution} if execution else {})
    command = send("ok", timeout_seconds=timeout, parameters=parameters)
    assert (command.expires - command.requested).total_seconds() == seconds


@pytest.mark.parametrize(
    ("content", "given", "seconds"),
    [
        (
            {
                "mainSteps": [
                    {"name": "a", "inputs": {"timeoutSeconds": 10}},
                    {"name": "b", "inputs": {"timeoutSeconds": "20"}},
                ]
            },
            {},
            30,
        ),
        (
            {
                "mainSteps": [{"name": "a", "inputs": {"timeoutSeconds": "{{ wait }}"}}],
                "parameters": {"wait": {"default": "10"}},
            },
            {},
            3600,
        ),
        (
            {
                "mainSteps": [{"name": "a", "inputs": {"timeoutSeconds": "{{wait}}"}}],
                "parameters": {"wait": {"default": "10"}},
            },
            {"wait": "90"},
            90,
        ),
        ({"mainSteps": [{"name": "a"}]}, {}, 3600),
        (
            {"runtimeConfig": {"aws:runShellScript": {"properties": [{"timeoutSeconds": 7}, {"timeoutSeconds": 9}]}}},
            {},
            7,
        ),
        ("schemaVersion: '2.2'\nmainSteps:\n- name: a\n  inputs: {timeoutSeconds: 11}\n", {}, 11),
    ],
)
def test_timeouts_of_a_document_are_those_of_its_steps(content: Any, given: dict[str, str], seconds: int) -> None:
    command = send("ok", content=content, parameters=given, timeout_seconds=30)
    assert (command.expires - command.requested).total_seconds() == 30 + seconds


def test_conditional_nodes_are_refused_unless_the_caller_says_otherwise() -> None:
    snapshot, _ = make_fleet("ok")
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    body = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "*", "Condition": mfa}],
    }
    snapshot = snapshot.with_policy(body, name="Mfa", principal="arn:aws:iam::123456789012:user/mia")
    call = {
        "snapshot": snapshot,
        "principal": "mia",
        "document": "AWS-RunShellScript",
        "instance_ids": ["i-00000000000000001"],
    }
    with pytest.raises(AccessDenied, match="hangs on a key of the request that `context` does not give") as caught:
        send_command(**call)
    assert (caught.value.outcome, caught.value.resource) == ("conditional", f"{NODE}1")
    assert send_command(**call, unknown="allow").status == "Success"
    assert send_command(**call, context={"aws:MultiFactorAuthPresent": "true"}).status == "Success"


def test_the_session_of_a_role_is_the_role() -> None:
    snapshot, _ = make_fleet("ok")
    body = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "*"}]}
    snapshot = snapshot.with_policy(body, name="Send", principal=ROLE)
    session = "arn:aws:sts::123456789012:assumed-role/NodeRole/i-1"
    command = send_command(snapshot, session, "AWS-RunShellScript", ["i-00000000000000001"])
    assert (command.principal, command.status) == (ROLE, "Success")


def test_a_region_is_asked_for_where_several_can_be_meant() -> None:
    call = {"targets": [{"Key": "tag:Env", "Values": ["prod"]}]}
    with pytest.raises(ValueError, match=r"^expected `region`, one of `eu-west-1`, `us-east-2`, got none$"):
        send_command(sample(), "web-ops", "AWS-RunShellScript", **call)
    arn = "arn:aws:ssm:us-east-2::document/AWS-RunShellScript"
    assert send_command(sample(), "web-ops", arn, **call).region == "us-east-2"


def test_a_node_whose_tag_key_differs_by_case_is_told() -> None:
    command = send("lowercase", targets=[{"Key": "tag:Finance", "Values": ["WebServers"]}])
    assert command.notes == (
        "1 node carries `tag:finance`, not `tag:Finance`: targets tell case apart, IAM conditions do not",
    )


def test_nodes_without_collected_tags_are_left_out_and_told() -> None:
    snapshot, _ = make_fleet("ok ok")
    nodes = snapshot.nodes.assign(tags_known=[True, False])
    nodes.loc[nodes.index[1], "tag:Fleet"] = None
    targets = [{"Key": "tag:Fleet", "Values": ["yes"]}]
    command = send_command(snapshot.replace(nodes=nodes), "web-ops", "AWS-RunShellScript", targets=targets)
    assert command.invocations["node"].tolist() == [f"{NODE}1"]
    assert command.notes == ("left out, since the tags were not collected: 1 node",)


def test_nodes_of_which_it_is_not_known_whether_they_are_managed_count_as_managed_and_are_told() -> None:
    snapshot, _ = make_fleet("ok")
    snapshot = snapshot.replace(nodes=snapshot.nodes.assign(managed=pd.array([None], dtype="boolean")))
    command = send_command(snapshot, "web-ops", "AWS-RunShellScript", ["i-00000000000000001"])
    assert (command.status, command.notes) == (
        "Success",
        ("whether 1 node is managed was not collected: taken as managed",),
    )


def test_errors_can_be_copied_and_pickled() -> None:
    for error in (AccessDenied("user", "node", "implicitDeny"), CommandError("InvalidInstanceId", "text")):
        for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
            assert (type(twin), str(twin), vars(twin)) == (type(error), str(error), vars(error))


# --- How nodes answer ---


@pytest.mark.parametrize(
    ("responses", "codes"),
    [
        ({"exit_code": 3}, [3, 3]),
        ({"i-00000000000000002": {"exit_code": 3}}, [0, 3]),
        ({f"{NODE}2": Answer(exit_code=4)}, [0, 4]),
        ({f"{NODE}2": (6, "out", 2.5)}, [0, 6]),
        (lambda node: {"exit_code": int(node[-1])}, [1, 2]),
        (Answer(exit_code=5), [5, 5]),
        (None, [0, 0]),
    ],
)
def test_responses_are_for_all_for_some_or_a_function(responses: Any, codes: list[int]) -> None:
    command = send("ok ok", responses=responses, max_errors=5)
    assert command.invocations["response_code"].tolist() == codes


@pytest.mark.parametrize(
    ("responses", "error", "text"),
    [
        ({"i-0": {"exit_code": 1}}, KeyError, "no node `i-0`"),
        ({"i-00000000000000001": {"code": 1}}, ValueError, "expected a node's answer with .*, got `code`"),
        ({"i-00000000000000001": 1}, ValueError, "expected a node's answer with .*, got `1`"),
        ({"seconds": -1}, ValueError, "`seconds` from 0"),
        ({"seconds": "3"}, ValueError, "`seconds` from 0"),
        ({"exit_code": "7"}, ValueError, "a whole `exit_code`"),
        ({"output": None}, ValueError, "texts as `output` and `error`"),
    ],
)
def test_an_answer_that_cannot_be_is_refused(responses: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        send("ok", responses=responses)


# --- Output ---


def test_output_joins_both_streams_and_is_cut_while_the_log_holds_all() -> None:
    long = "x" * 30_000 + "\n"
    command = send("ok", responses={"output": long, "error": "oh\n", "exit_code": 7})
    row = command.invocations.iloc[0]
    mark = "\n---Output truncated---"
    assert row["output"] == "x" * (2_500 - len(mark)) + mark
    assert (len(row["standard_output_content"]), row["standard_error_content"]) == (
        24_000,
        "oh\nfailed to run commands: exit status 7",
    )
    start = f"{command.command_id}/i-00000000000000001/aws-runShellScript"
    assert command.log_events[["log_group", "log_stream", "message"]].to_numpy().tolist() == [
        ["/aws/ssm/AWS-RunShellScript", f"{start}/stdout", long[:-1]],
        ["/aws/ssm/AWS-RunShellScript", f"{start}/stderr", "oh\nfailed to run commands: exit status 7"],
    ]


def test_short_output_is_joined_as_recorded() -> None:
    command = send("ok", responses={"output": "out\n", "error": "err\n"})
    assert command.invocations["output"].tolist() == ["out\n\n----------ERROR-------\nerr\n"]


def test_a_stream_is_made_only_for_output() -> None:
    assert send("denied ok", responses={"exit_code": 0}).log_events.empty
    assert send("ok", cloudwatch_log_group=None).log_events.empty
    assert send("ok", cloudwatch_log_group="/own").log_events["log_group"].tolist() == ["/own"]


def test_the_step_of_an_own_document_names_the_stream() -> None:
    command = send("ok", document="RestartWebServer", principal="admin-adele")
    assert command.log_events["log_group"].tolist() == ["/aws/ssm/RestartWebServer"]
    assert command.log_events["log_stream"].iloc[0].split("/")[2:] == ["RestartWebServer", "stdout"]


def logs_policy(resource: str, *actions: str) -> dict[str, Any]:
    every = {"Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": "*"}
    return {
        "Version": "2012-10-17",
        "Statement": [every, {"Effect": "Allow", "Action": [*actions], "Resource": resource}],
    }


WRITE = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
GROUP = "arn:aws:logs:*:*:log-group:"


@pytest.mark.parametrize(
    ("body", "group", "refused"),
    [
        (logs_policy("*", *WRITE), True, ""),
        (logs_policy(f"{GROUP}/aws/ssm/*", *WRITE), True, ""),
        (
            logs_policy(f"{GROUP}/aws/ssm/*", *WRITE),
            "/own",
            "logs:CreateLogStream, logs:DescribeLogStreams, logs:PutLogEvents",
        ),
        (logs_policy(f"{GROUP}/own:*", *WRITE[1:]), "/own", ""),
        (logs_policy(f"{GROUP}*", *WRITE[1:]), True, "logs:CreateLogGroup"),
        (logs_policy(f"{GROUP}*", *WRITE[:-1]), True, "logs:PutLogEvents"),
    ],
)
def test_a_node_writes_to_a_log_group_only_if_its_role_may(
    body: dict[str, Any], group: str | bool, refused: str
) -> None:
    snapshot, responses = make_fleet("ok")
    policies = snapshot.policies
    own = [tuple(t for t in targets if t != ROLE) for targets in policies["attached_to"]]
    snapshot = snapshot.replace(policies=policies.assign(attached_to=own)).with_policy(
        body, name="Logs", principal=ROLE
    )
    command = send_command(
        snapshot,
        "web-ops",
        "AWS-RunShellScript",
        ["i-00000000000000001"],
        responses=responses,
        cloudwatch_log_group=group,
    )
    name = "/aws/ssm/AWS-RunShellScript" if group is True else group
    assert command.findings["why"].tolist() == (
        [f"its role NodeRole may not {refused} for log group `{name}`"] if refused else []
    )
    assert len(command.log_events) == (not refused)


@pytest.mark.parametrize(
    ("step", "plugin"),
    [({"name": "a", "action": "aws:x"}, "a"), ({"action": "aws:x"}, "aws-x"), ({}, "aws-runShellScript")],
)
def test_a_stream_is_named_after_the_step_or_its_action(step: dict[str, str], plugin: str) -> None:
    assert send("ok", content={"mainSteps": [step]}).log_events["log_stream"].iloc[0].split("/")[2] == plugin


@pytest.mark.parametrize("seconds", [-1, "x", float("nan")])
def test_a_command_is_cancelled_after_it_was_sent(seconds: Any) -> None:
    with pytest.raises(ValueError, match=f"^expected `cancel_after` as seconds from 0, got `{seconds}`$"):
        send("ok", cancel_after=seconds)


def test_a_content_that_nests_too_deeply_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^expected the content of a document as JSON or YAML, got "):
        send("ok", content="[" * 100_000)


def test_a_role_has_no_user_name_which_is_known() -> None:
    snapshot, _ = make_fleet("ok")
    body = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Deny", "Action": "logs:*", "Resource": "*", "Condition": {"Null": {"aws:username": "true"}}}
        ],
    }
    snapshot = snapshot.with_policy(body, name="NoLogs", principal=ROLE)
    command = send_command(
        snapshot, "web-ops", "AWS-RunShellScript", ["i-00000000000000001"], responses={"output": "hi"}
    )
    assert (command.findings["node"].tolist(), command.log_events.empty) == ([f"{NODE}1"], True)


def test_a_role_that_is_not_known_writes_with_a_doubt() -> None:
    command = send("hybrid", principal="admin-adele")
    assert command.log_events.empty  # it said nothing
    command = send("hybrid", principal="admin-adele", responses={"output": "hi"})
    assert (len(command.log_events), command.findings.empty) == (1, True)
    assert command.doubts == ("the role of some nodes is not known; taken is that it may write to CloudWatch Logs",)


# --- Events ---


def test_events_have_the_two_documented_shapes() -> None:
    command = send("ok denied", parameters={"commands": ["date"]}, start="2016-07-10T21:51:30.049Z", seed=3)
    first, node, *_ = command.events
    assert (first["time"], first["detail"].pop("command-id")) == ("2016-07-10T21:51:30Z", command.command_id)
    assert {key: value for key, value in first.items() if key != "id"} == {
        "version": "0",
        "detail-type": "EC2 Command Status-change Notification",
        "source": "aws.ssm",
        "account": "123456789012",
        "time": "2016-07-10T21:51:30Z",
        "region": "eu-west-1",
        "resources": [f"{NODE}1", f"{NODE}2"],
        "detail": {
            "document-name": "AWS-RunShellScript",
            "expire-after": "2016-07-10T23:51:30.049Z",
            "parameters": {"commands": ["date"]},
            "requested-date-time": "2016-07-10T21:51:30.049Z",
            "status": "Pending",
        },
    }
    assert {key: value for key, value in node.items() if key != "id"} == {
        "version": "0",
        "detail-type": "EC2 Command Invocation Status-change Notification",
        "source": "aws.ssm",
        "account": "123456789012",
        "time": "2016-07-10T21:51:30Z",
        "region": "eu-west-1",
        "resources": [f"{NODE}1"],
        "detail": {
            "command-id": command.command_id,
            "document-name": "AWS-RunShellScript",
            "instance-id": "i-00000000000000001",
            "requested-date-time": "2016-07-10T21:51:30.049Z",
            "status": "Pending",
        },
    }


# --- What holds of all commands ---

WORDS = ("ok", "fails", "slow", "hangs", "denied", "windows", "offline", "unmanaged", "seconds=3000")
FLEETS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
CALLS = st.fixed_dictionaries(
    {
        "max_concurrency": st.sampled_from(["1", "3", "50", "30%", "100%"]),
        "max_errors": st.sampled_from(["0", "1", "5", "20%", "100%"]),
        "cancel_after": st.sampled_from([None, 0, 1.5, 60, 5000]),
        "alarm_after": st.sampled_from([None, None, 0, 1.2, 70]),
        "seed": st.integers(0, 9),
    }
)


@SLOW
@given(words=FLEETS, call=CALLS)
def test_the_same_seed_gives_the_same_command(words: str, call: dict[str, Any]) -> None:
    one, two = send(words, **call), send(words, **call)
    assert (one.command_id, one.events) == (two.command_id, two.events)
    pd.testing.assert_frame_equal(one.history, two.history)
    pd.testing.assert_frame_equal(one.log_events, two.log_events)


@SLOW
@given(words=FLEETS, call=CALLS)
def test_every_step_of_every_history_is_legal_and_ends(words: str, call: dict[str, Any]) -> None:
    command = send(words, **call)
    for node in [None, *command.invocations["node"]]:
        details = [step for _, step in history(command, node)]
        allowed = NEXT_OF_COMMAND if node is None else NEXT
        assert all(after in allowed[before] for before, after in zip([None, *details], details, strict=False))
        assert details[-1] not in allowed
    assert command.history["time"].is_monotonic_increasing
    assert command.history["time"].iloc[-1] <= command.expires
    assert command.history["node"].iloc[-1] is None


@SLOW
@given(words=FLEETS, call=CALLS)
def test_events_and_invocations_follow_from_the_history(words: str, call: dict[str, Any]) -> None:
    command = send(words, **call)
    told = [(event["detail"].get("instance-id"), event["detail"]["status"]) for event in command.events]
    nodes = command.history["node"].str.rpartition("/")[2].astype(object)
    assert told == [*zip(nodes.where(nodes.notna(), None), command.history["status"], strict=True)]
    assert [event["time"] for event in command.events] == sorted(event["time"] for event in command.events)
    assert len({event["id"] for event in command.events}) == len(command.events)
    last = command.history.dropna(subset="node").drop_duplicates("node", keep="last").set_index("node")
    ended = command.invocations.set_index("node")
    assert ended["status_details"].to_dict() == last["status_details"].to_dict()
    assert command.counts["TargetCount"] == len(ended) == len(words.split())


@SLOW
@given(words=FLEETS, call=CALLS)
def test_access_is_what_reach_says(words: str, call: dict[str, Any]) -> None:
    command = send(
        words, **{**call, "cancel_after": None, "alarm_after": None, "max_errors": "100%", "max_concurrency": 50}
    )
    outcomes = ssmlab.reach(make_fleet(words)[0]).nodes("web-ops")["resource_outcome"]
    refused = command.invocations.set_index("node")["status_details"] == "AccessDenied"
    assert refused.to_dict() == (outcomes != "allowed").to_dict()


# --- Rules that start the next command ---

SHELL = "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript"
ASSUME = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
STARTER = "arn:aws:iam::123456789012:role/Starter"


def rule(name: str, status: str, key: str = "tag:Fleet", value: str = "yes", **target: Any) -> Rule:
    """A rule that hears of the status of a whole command, and sends AWS-RunShellScript to a tag."""
    pattern = {"detail-type": ["EC2 Command Status-change Notification"], "detail": {"status": [status]}}
    block = {"RunCommandTargets": [{"Key": key, "Values": [value]}]}
    usual = {
        "Id": "1",
        "Arn": SHELL,
        "RoleArn": STARTER,
        "Input": '{"commands": ["uptime"]}',
        "RunCommandParameters": block,
    }
    return Rule(name, pattern, ({key: value for key, value in (usual | target).items() if value is not None},))


def start(words: str, rules: list[Rule], *, resource: str = "*", trust: Any = ASSUME, **call: Any) -> Command:
    """A command of `web-ops` under rules whose role may send to a resource."""
    snapshot, responses = make_fleet(words)
    allow = {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": [SHELL, resource]}
    snapshot = snapshot.with_policy({"Version": "2012-10-17", "Statement": [allow]}, name="Start", principal=STARTER)
    principals = snapshot.principals
    trusts = principals["trust"].where(principals.index != STARTER, None)
    trusts[STARTER] = trust and {"Version": "2012-10-17", "Statement": [trust]}
    snapshot = snapshot.replace(principals=principals.assign(trust=trusts))
    targets = [{"Key": "tag:Fleet", "Values": ["yes"]}]
    return send_command(
        snapshot, "web-ops", "AWS-RunShellScript", targets=targets, responses=responses, rules=rules, **call
    )


def test_a_rule_starts_a_command_and_its_role_decides() -> None:
    command = start("fails denied", [rule("mend", "Failed", "InstanceIds", "i-00000000000000002")], resource=f"{NODE}2")
    (other,) = command.started
    assert (other.principal, other.status, other.requested) == (
        STARTER,
        "Success",
        command.history["time"].iloc[-1] + pd.Timedelta("1s"),
    )
    assert other.invocations["node"].tolist() == [f"{NODE}2"]
    assert command.rules[["rule", "role", "command", "reason"]].to_numpy().tolist() == [
        ["mend", STARTER, other.command_id, "1 of 1 node ended in Success"]
    ]
    assert [event["detail"]["command-id"] for event in command.events] == [command.command_id] * 8 + [
        other.command_id
    ] * 6
    assert other.events[0]["detail"]["parameters"] == {"commands": ["uptime"]}


def test_what_the_role_may_not_ends_access_denied() -> None:
    command = start("fails denied", [rule("mend", "Failed")], resource=f"{NODE}1")
    assert [*command.started[0].invocations["status_details"]] == ["Failed", "AccessDenied"]


@pytest.mark.parametrize(
    ("target", "trust", "reason"),
    [
        ({"RoleArn": None}, ASSUME, "expected a role in the target or the rule, got none"),
        ({"RoleArn": f"{STARTER}X"}, ASSUME, "is not loaded: what it may is not known"),
        ({"RoleArn": "arn:aws:iam::210987654321:role/NodeRole"}, ASSUME, "of another account than the event bus"),
        ({}, ASSUME | {"Principal": {"Service": "ec2.amazonaws.com"}}, "does not let events.amazonaws.com assume it"),
        ({"RunCommandParameters": None}, ASSUME, "expected one block of `RunCommandTargets`, got `None`"),
        (
            {"RunCommandParameters": {"RunCommandTargets": []}},
            ASSUME,
            "expected one block of `RunCommandTargets`, got `[]`",
        ),
        ({"RunCommandParameters": "x"}, ASSUME, "expected one block of `RunCommandTargets`, got `None`"),
        ({"Input": "uptime"}, ASSUME, "expected `Input` as a JSON object, got `uptime`"),
        ({"Input": '{"shell": ["sh"]}'}, ASSUME, "InvalidParameters"),
        ({"Arn": "arn:aws:ssm:eu-west-1::document/AWS-None"}, ASSUME, "InvalidDocument"),
        ({"Arn": "arn:aws:ssm:us-east-2::document/AWS-RunShellScript"}, ASSUME, "InvalidDocument"),
        ({"Arn": "arn:aws:ssm:eu-west-1::document/AWS-RunPowerShellScript"}, ASSUME, "AccessDeniedException"),
    ],
)
def test_a_rule_that_starts_nothing_says_why(target: dict[str, Any], trust: Any, reason: str) -> None:
    command = start("fails", [rule("mend", "Failed", **target)], resource=f"{NODE}1", trust=trust)
    assert command.started == ()
    assert command.rules["command"].tolist() == [None]
    assert reason in command.rules["reason"].iloc[0]


def test_targets_that_are_no_documents_and_rules_that_do_not_match_are_left_alone() -> None:
    queue = "arn:aws:sqs:eu-west-1:123456789012:work"
    command = start("fails", [rule("queue", "Failed", Arn=queue), rule("done", "Success")])
    assert (command.started, len(command.rules), len(command.events)) == ((), 0, 6)


def test_a_trust_policy_that_was_not_collected_does_not_stop_a_rule() -> None:
    assert len(start("fails ok", [rule("mend", "Failed", "tag:Finance", "none")], trust=None).started) == 1


def test_a_rule_that_hears_of_itself_is_cut_and_told() -> None:
    command = start("fails", [rule("again", "Failed")])
    assert len(command.started) == 5
    told = "rule `again` starts a command that it hears of again: cut after 5 in a row"
    assert (command.rules["reason"].iloc[-1], command.notes) == (told, (told,))
    times = [event["time"] for event in command.events]
    assert times == sorted(times)


def test_two_rules_that_start_each_other_without_end_are_cut_and_told() -> None:
    command = start("ok", [rule(name, "Success") for name in "abc"])
    assert len(command.started) == 100
    assert command.notes == ("rules start more commands than are followed: cut after 100",)


def test_the_bus_is_in_time_order_and_the_same_with_the_same_seed() -> None:
    rules = [rule("again", "Failed"), rule("more", "InProgress")]
    one, two = (start("fails ok offline", rules, timeout_seconds=30) for _ in range(2))
    assert one.events == two.events
    assert [event["time"] for event in one.events] == sorted(event["time"] for event in one.events)
    assert {event["detail"]["command-id"] for event in one.events} == {
        one.command_id,
        *(c.command_id for c in one.started),
    }
