"""The command explorer without a browser: state in, views out."""

import html
from xml.etree import ElementTree

import pandas as pd
import pytest
from hostile import CONTROLS

import ssmlab
from ssmlab.commands import send_command
from ssmlab.commands.scenarios import SCENARIOS, first_command, play_scenario, read_object, read_rules
from ssmlab.commands.spans import fold_nodes, list_spans
from ssmlab.commands.statuses import ERRORS, OPEN, REFUSED
from ssmlab.widgets import CommandExplorer
from ssmlab.widgets.command_views import State
from ssmlab.widgets.targets import TargetPicker
from ssmlab.widgets.texts import show_controls
from ssmlab.widgets.timeline import BARS, MARKS, draw_timeline

WEB_OPS = "arn:aws:iam::123456789012:user/web-ops"
TEAM = {"Key": "tag:Team", "Values": ["blue"]}
BLUE = {"targets": [TEAM], "region": "us-east-2"}
NODE, DATABASE = "i-0123456789abcdef0", "i-0fc664b78e67c8dee"


@pytest.fixture(scope="module")
def snapshot() -> ssmlab.Snapshot:
    return ssmlab.load("data/sample")


@pytest.fixture
def explorer(snapshot: ssmlab.Snapshot) -> CommandExplorer:
    return CommandExplorer(snapshot, sender="web-ops", **BLUE)


def seen(explorer: CommandExplorer) -> list[str]:
    """The words of the view that is open: picture, or count and rows."""
    number = explorer.tabs.selected_index
    if number == 0:
        return [explorer._picture.value]
    table = explorer._tables[number]
    return [table._count.value, *table._table.df.astype(str).agg(" ".join, axis=1)]


def test_the_first_view_shows_a_command_that_some_nodes_run_and_others_do_not(snapshot: ssmlab.Snapshot) -> None:
    explorer = CommandExplorer(snapshot)
    assert explorer.command is not None
    assert {"Success", "AccessDenied"} < {*explorer.command.invocations["status_details"]}
    assert "<svg" in explorer._picture.value


def test_the_status_is_told_with_its_reason_notes_and_doubts(explorer: CommandExplorer) -> None:
    assert (
        "The command is Success: 2 of 4 nodes ended in Success; 1 refused, 1 stopped or not managed, which is no error."
        in explorer._live.value
    )
    assert "tags were not collected" in explorer.why.value
    assert "by its definition of Incomplete it is that" in explorer.why.value


def test_no_sentence_is_told_twice_on_one_screen(explorer: CommandExplorer) -> None:
    picture = ElementTree.fromstring(explorer._picture.value)
    assert "The command is Success: 2 of 4 nodes ended in Success" in picture.get("aria-label")
    for sentence in ("nodes ended in Success", "1 AccessDenied"):
        drawn = " ".join(picture.itertext())
        assert sum(sentence in text for text in (drawn, explorer.why.value, explorer._live.value)) == 1


def test_why_of_a_node_begins_with_what_happened_there_and_ends_with_why_it_may_run(explorer: CommandExplorer) -> None:
    explorer.controls["answers"].value = "all fail"
    explorer.tabs.selected_index = 1
    why = []
    for row in (0, 2, 3):
        explorer._tables[1]._table.selected_rows = [row]
        why.append(html.unescape(explorer.why.value))
    failed, refused, stopped = why
    assert failed.startswith("<p>web-11 (i-06aa5aa9e85538805): Failed, exit code 1.</p><pre>")
    assert failed.index("ERROR Unit httpd.service") < failed.index("<details><summary><b>Why it may run there</b>")
    assert "<details open><summary><b>Why it may not run there</b>" in refused
    assert "web-13 (i-0433e9abfd1f41b06): Undeliverable, the node is stopped." in stopped
    assert "<details><summary>" in stopped


def test_the_views_hold_what_the_command_holds(explorer: CommandExplorer) -> None:
    explorer.tabs.selected_index = 1
    assert [row.split()[:4] for row in seen(explorer)[1:]] == [
        ["web-11", "Success", "Success", "0"],
        ["web-12", "Success", "Success", "0"],
        ["kiosk-1", "Failed", "AccessDenied", "not"],
        ["web-13", "Failed", "Undeliverable", "not"],
    ]
    explorer.tabs.selected_index = 2
    assert len(seen(explorer)) - 1 == len(explorer.command.events) == 13
    assert [row.split()[1:3] for row in seen(explorer)[1:4]] == [
        ["command", "e3e70682…"],
        *(["node", n] for n in ("web-11", "web-12")),
    ]
    explorer.tabs.selected_index = 3
    assert "2 streams in log group /aws/ssm/AWS-RunShellScript" in seen(explorer)[0]


def test_what_is_selected_is_told_whole(explorer: CommandExplorer) -> None:
    told = []
    for view, row in ((1, 2), (2, 0), (3, 0)):
        explorer.tabs.selected_index = view
        explorer._tables[view]._table.selected_rows = [row]
        told.append(html.unescape(explorer.why.value))
    assert "user/web-ops may not run AWS-RunShellScript on kiosk-1" in told[0]
    assert '"detail-type": "EC2 Command Status-change Notification"' in told[1]
    assert "httpd is active (running)\nrequests=120 latency=35 ms" in told[2]


def test_a_refused_call_is_told_with_the_name_of_its_error_and_why(snapshot: ssmlab.Snapshot) -> None:
    explorer = CommandExplorer(snapshot, sender="web-ops", instance_ids=f"{NODE}, {DATABASE}")
    assert explorer.command is None
    assert "<b>AccessDeniedException</b>" in explorer.why.value
    assert "user/web-ops may not run AWS-RunShellScript on db-1" in explorer.why.value
    assert (explorer._picture.value, "No command was made" in explorer._live.value) == ("", True)
    explorer.controls["instance_ids"].value = NODE
    assert explorer.command.status == "Success"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("max_errors", "many", "<b>ValidationException</b></p><p>expected a number, or a percentage such as <code>10%</code>, as"),
        ("instance_ids", "", "<b>ValidationException</b>"),
        ("responses", '{"web-1": }', "responses, line 1, column 11: expected JSON"),
        ("responses", '{"nobody": {"exit_code": 1}}', "no node `nobody`"),
        ("responses", '{"<b>": {}}', "no node `&lt;b&gt;`"),
        ("parameters", "[1]", "parameters: expected an object, got `[1]`"),
        ("rules", '[{"pattern": {}}]', "rules: expected a list such as"),
        ("rules", '[{"name": "a", "pattern": {"source": "aws.ssm"}}]', "rule `a`: source: expected an object or an array"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_told_in_the_panel(snapshot: ssmlab.Snapshot, field: str, value: str, said: str) -> None:
    explorer = CommandExplorer(snapshot, sender="web-ops", instance_ids=NODE)
    explorer.controls["by"].value = "instance ids"
    explorer.controls[field].value = value
    assert said in explorer.why.value
    assert explorer.command is None


def test_targets_are_added_by_value_and_taken_away_by_key(explorer: CommandExplorer) -> None:
    picker, nodes = explorer.controls["targets"], [len(explorer.command.invocations)]
    for text in ("tag:Finance = WebServers", "tag:Finance = Databases", "tag:Env = prod"):
        picker.add(text)
        nodes.append(len(explorer.command.invocations))
    assert nodes == [4, 3, 3, 3]
    assert [button.description for button in picker._chosen.children] == [
        "tag:Team = blue ✕", "and tag:Finance = WebServers or Databases ✕", "and tag:Env = prod ✕",
    ]  # fmt: skip
    picker._chosen.children[1].click()
    assert explorer.state.targets == (TEAM, {"Key": "tag:Env", "Values": ["prod"]})
    picker.add("Env")
    assert "Expected a target such as tag:Env = prod" in picker._wrong.value
    for number in range(4):
        picker.add(f"tag:{number} = {number}")
    assert "at most 5 <code>targets</code>, got <code>6</code>" in html.unescape(explorer.why.value)


@pytest.mark.parametrize("text", CONTROLS, ids=range(len(CONTROLS)))
def test_an_offered_target_shows_what_cannot_be_seen_and_means_the_value(snapshot: ssmlab.Snapshot, text: str) -> None:
    picker = TargetPicker(snapshot.nodes[["node_id"]].assign(**{"tag:Env": text}))
    (offered,) = picker._add.options
    picker.add(offered)
    assert picker.value == ({"Key": "tag:Env", "Values": [text]},)
    assert offered.isprintable()
    assert picker._chosen.children[0].description == f"{offered} ✕"


def test_a_resource_group_is_a_target_of_what_it_is_said_to_hold(snapshot: ssmlab.Snapshot) -> None:
    target = {"Key": "resource-groups:Name", "Values": ["web"]}
    explorer = CommandExplorer(snapshot, sender="admin-adele", targets=[target], region="eu-west-1")
    assert "no resource group <code>web</code> is given" in html.unescape(explorer.why.value)
    explorer.controls["groups"].value = f'{{"web": ["{NODE}"]}}'
    assert [*explorer.command.invocations["node_id"]] == [NODE]


def test_without_live_nothing_is_sent_until_the_button_is_pressed(snapshot: ssmlab.Snapshot) -> None:
    explorer = CommandExplorer(snapshot, sender="web-ops", **BLUE, live=False)
    first = explorer.command
    explorer.controls["answers"].value = "all fail"
    explorer.tabs.selected_index = 1
    assert explorer.command is first
    assert "press Simulate" in explorer._live.value
    explorer._send_now()
    assert explorer.command.status == "Failed"
    assert "press Simulate" not in explorer._live.value


def test_rules_start_commands_and_what_came_of_them_is_told(snapshot: ssmlab.Snapshot) -> None:
    role = "arn:aws:iam::210987654321:role/EventBridgeRunCommand"
    block = {"RunCommandTargets": [{"Key": "tag:Env", "Values": ["test"]}]}
    target = {"Arn": "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript", "RunCommandParameters": block}
    found = []
    for own in ({"RoleArn": role}, {}):
        rule = {"name": "again", "pattern": {"detail": {"status": ["Success"]}}, "targets": [{**target, **own}]}
        explorer = CommandExplorer(
            snapshot, sender="dev-dora", document="AWS-RunShellScript", targets=[{"Key": "tag:Env", "Values": ["dev"]}],
            region="eu-west-1", rules=pd.Series([[rule]]).to_json(orient="values")[1:-1],
        )  # fmt: skip
        found.append(explorer.why.value)
    assert "<b>Started by rules</b>" in found[0]
    assert "rule again: expected a role in the target or the rule, got none" in found[1]


def test_a_view_is_a_line_to_copy(explorer: CommandExplorer) -> None:
    explorer.controls["answers"].value = "all fail"
    explorer.controls["context"].value = {"aws:SourceIp": "203.0.113.9"}
    explorer.controls["targets"].add('tag:Env = it\'s "prod"')
    line = html.unescape(explorer._line.value.partition("<code>")[2].partition("</code>")[0])
    again = eval(line, {"CommandExplorer": CommandExplorer, "snapshot": explorer.snapshot})
    assert again.state == explorer.state


def test_what_is_seen_is_saved(explorer: CommandExplorer) -> None:
    heads = []
    for view in range(4):
        explorer.tabs.selected_index = view
        name, content = explorer.export("CSV")
        heads.append(content.decode().partition("\n")[0].split(",")[:2])
    assert heads == [["time", "node"], ["node", "status"], ["version", "id"], ["log_group", "log_stream"]]
    name, content = explorer.export("Picture")
    assert name == "CommandExplorer.svg"
    assert ElementTree.fromstring(content).get("role") == "img"


def test_an_empty_inventory_says_so(snapshot: ssmlab.Snapshot) -> None:
    explorer = CommandExplorer(snapshot.replace(nodes=snapshot.nodes.iloc[:0], documents=snapshot.documents.iloc[:0]))
    assert "choose a sender and a document" in explorer.why.value


@pytest.mark.parametrize("text", CONTROLS, ids=range(len(CONTROLS)))
def test_names_and_output_are_text_in_every_view(snapshot: ssmlab.Snapshot, text: str) -> None:
    nodes = snapshot.nodes.assign(name=text)
    responses = pd.Series({"output": text * 3, "error": text, "exit_code": 1}).to_json()
    explorer = CommandExplorer(
        snapshot.replace(nodes=nodes), sender="team-blue", **BLUE | {"region": "eu-west-1"}, responses=responses
    )
    shown = [explorer._picture.value.replace("<svg xmlns", ""), explorer.why.value, explorer._line.value]
    ElementTree.fromstring(explorer._picture.value)
    for view in (1, 2, 3):
        explorer.tabs.selected_index = view
        explorer._tables[view]._table.selected_rows = [0]
        shown += [explorer.why.value]
        assert not any(char in " ".join(seen(explorer)) for char in "\x00\x1b\u202e")
    assert not any(tag in words for words in shown for tag in ("<script", "<img", "<iframe", "<svg"))
    assert not any(char in words for words in shown for char in "\x00\x1b\u202e")


# --- The layers below ---


def test_every_status_has_a_bar_or_a_mark_of_its_own() -> None:
    others = (
        "DeliveryTimedOut",
        "Terminated",
        "Cancelled",
        "Incomplete",
        "NoInstancesInTag",
        "RateExceeded",
        "FailedDueToAlarm",
    )
    on_the_way, ends = {*OPEN, "Cancelling"}, {"Success", *ERRORS, *REFUSED, *others}
    assert ({*BARS}, {*MARKS}) == (on_the_way, ends)
    assert len({letter for _, _, letter in MARKS.values()}) == len(MARKS)


def test_spans_of_a_node_follow_one_another_without_a_gap(snapshot: ssmlab.Snapshot) -> None:
    targets = [{"Key": "tag:Team", "Values": ["blue"]}]
    spans = list_spans(send_command(snapshot, "team-blue", "AWS-RunShellScript", None, targets, "eu-west-1"))
    for _, own in spans.groupby("node", dropna=False):
        assert own["end"].tolist()[:-1] == own["begin"].tolist()[1:]
        assert own["begin"].iloc[0] == 0
        assert own["end"].iloc[-1] == own["begin"].iloc[-1]


def test_of_many_nodes_some_of_every_ending_are_drawn_and_the_rest_is_counted(snapshot: ssmlab.Snapshot) -> None:
    nodes = pd.concat([snapshot.nodes.filter(like="i-06aa5aa9e85538805", axis=0)] * 100)
    ids = [f"i-{number:017x}" for number in range(100)]
    nodes = nodes.assign(node_id=ids, name=ids).set_axis(
        [f"arn:aws:ec2:us-east-2:123456789012:instance/{i}" for i in ids]
    )
    nodes.index.name = "arn"
    nodes.iloc[97:, nodes.columns.get_loc("managed")] = False
    many = snapshot.replace(nodes=nodes)
    command = play_scenario(
        many, "all succeed", principal="web-ops", document="AWS-RunShellScript", region="us-east-2",
        targets=[{"Key": "tag:Team", "Values": ["blue"]}],
    )  # fmt: skip
    shown, rest = fold_nodes(command.invocations)
    assert (len(shown), rest) == (40, {"Success": 60})
    assert shown[-3:] == [*nodes.index[97:]]
    assert "… and 60 nodes more: Success" in draw_timeline(command, nodes["name"])


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_says_nothing_of_nodes_that_refuse(snapshot: ssmlab.Snapshot, scenario: str) -> None:
    call = {"principal": "web-ops", "document": "AWS-RunShellScript", "region": "us-east-2", "max_errors": "100%"}
    call["targets"] = [{"Key": "tag:Team", "Values": ["blue"]}]
    ended = [*play_scenario(snapshot, scenario, **call).invocations["status_details"]]
    expected = {
        "every third fails": ["Failed", "Success"],
        "all fail": ["Failed", "Failed"],
        "one does not answer": ["ExecutionTimedOut", "Success"],
    }.get(scenario, ["Success", "Success"])
    assert ended == [*expected, "AccessDenied", "Undeliverable"]


def test_what_a_user_says_of_a_node_goes_before_the_scenario(snapshot: ssmlab.Snapshot) -> None:
    call = {"principal": "web-ops", "document": "AWS-RunShellScript", "instance_ids": NODE}
    assert play_scenario(snapshot, "all fail", {"web-1": {"output": "ok"}}, **call).status == "Success"
    assert play_scenario(snapshot, "all succeed", {"exit_code": 2}, **call).status == "Failed"
    with pytest.raises(ValueError, match=r"expected one of `all succeed`.*, got `none`"):
        play_scenario(snapshot, "none", **call)


def test_the_first_command_of_somebody_who_reaches_nothing_is_none(snapshot: ssmlab.Snapshot) -> None:
    reach = ssmlab.reach(snapshot)
    assert first_command(reach, "arn:aws:iam::123456789012:user/auditor") == {}
    assert first_command(reach, WEB_OPS) == {
        "document": "AWS-RunShellScript", "region": "eu-west-1", "targets": (TEAM,),
    }  # fmt: skip


def test_typed_texts_that_nest_too_deeply_are_refused() -> None:
    with pytest.raises(ValueError, match="rules: nested too deeply"):
        read_rules("[" * 100_000)
    assert (read_object("responses", "  "), read_rules("")) == (None, [])


def test_every_character_that_cannot_be_seen_becomes_visible() -> None:
    hidden = "".join(map(chr, range(0x110000)))
    assert show_controls(hidden).isprintable()
    assert show_controls("plain ä 漢 🦀") == "plain ä 漢 🦀"


def test_an_unknown_state_is_refused_by_name(snapshot: ssmlab.Snapshot) -> None:
    with pytest.raises(ValueError, match=r"Nodes: expected one of .* got `sing`"):
        CommandExplorer(snapshot, answers="sing")
    with pytest.raises(KeyError, match="web-op"):
        CommandExplorer(snapshot, sender="web-op")
    assert CommandExplorer(snapshot, sender="web-ops").state == State(
        sender=WEB_OPS, document="AWS-RunShellScript", targets=(TEAM,), region="eu-west-1"
    )


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("responses", '{"web-1": {"exit_code": 99999999999999999999}}', "expected an `exit_code` of 32 bits"),
        (
            "rules",
            '[{"name": "a", "pattern": {"source": ["aws.ssm"]}, "targets": [5]}]',
            "rules: expected a list such as",
        ),
        (
            "rules",
            '[{"name": "a", "pattern": {"source": ["aws.ssm"]}, "targets": 5}]',
            "rules: expected a list such as",
        ),
        ("rules", '[{"name": ["a"], "pattern": {"source": ["aws.ssm"]}}]', "rules: expected a list such as"),
    ],
)
def test_json_of_another_shape_is_refused_in_the_panel(
    snapshot: ssmlab.Snapshot, field: str, text: str, words: str
) -> None:
    assert words in html.unescape(CommandExplorer(snapshot, sender="web-ops", **{field: text}).why.value)
