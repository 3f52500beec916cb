"""Other names, the same reach; nothing of the old names is left."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_snapshots import random_snapshot

import ssmlab
from ssmlab.cli import main
from ssmlab.pseudonyms import rewriting
from ssmlab.pseudonyms.names import Names
from ssmlab.snapshots.bodies import to_json

SHORTEST = 4  # shorter texts stand in any file by chance
NODE = "i-0123456789abcdef0"
WEB = "arn:aws:iam::123456789012:user/web-ops"


@pytest.fixture(scope="module")
def other(sample: ssmlab.Snapshot) -> ssmlab.Snapshot:
    return ssmlab.pseudonymise(sample)


def settled(*texts: str, seed: int = 0) -> Names:
    names = Names()
    for text in texts:
        names.text(text)
    names.settle(seed)
    return names


def shape(text: str) -> str:
    return re.sub(r"[a-z]", "a", re.sub(r"[A-Z]", "A", re.sub(r"\d", "0", text)))


def own_texts(snapshot: ssmlab.Snapshot) -> Iterator[str]:
    """Account ids, names, ids and values of tags, but for what AWS named."""
    for frame in (snapshot.principals, snapshot.nodes, snapshot.documents, snapshot.policies):
        is_own = ~frame.index.str.contains(r":iam::aws:|:ssm:[^:]*::|^p-(?:RCP)?FullAWSAccess|/AWSServiceRole")
        for column in frame.columns.intersection(["account", "name", "node_id"]):
            yield from frame.loc[is_own, column].dropna().astype(str)
        for column in (name for name in frame.columns if name.startswith("tag:")):
            yield from frame[column].dropna().astype(str)
    yield from snapshot.organization["target"]
    yield snapshot.management_account or ""


def written(folder: Path) -> str:
    """All that stands in the files, uncompressed: the bytes of a Parquet file are packed."""
    raw = "".join(file.read_bytes().decode("latin-1") for file in folder.iterdir())
    frames = [pd.read_parquet(file) for file in folder.iterdir()]
    categories = [frame[name].cat.categories for frame in frames for name in frame if frame[name].dtype == "category"]
    return raw + "".join(frame.reset_index().to_csv() for frame in frames) + "".join(map(str, map(list, categories)))


def leaked(snapshot: ssmlab.Snapshot, folder: Path) -> list[str]:
    text = written(folder).lower()
    found = {own.lower() for own in own_texts(snapshot) if len(own) >= SHORTEST and re.search(r"[^\W_]", own)}
    return sorted(own for own in found if re.search(rf"(?<![^\W_]){re.escape(own)}(?![^\W_])", text))


def test_nothing_of_the_sample_s_names_is_left_in_the_files(sample: ssmlab.Snapshot, tmp_path: Path) -> None:
    assert main(["pseudonymise", "data/sample", str(tmp_path)]) == 0
    assert leaked(sample, tmp_path) == ["root"]  # AWS's word


def test_the_search_for_names_finds_them_where_they_are(sample: ssmlab.Snapshot, tmp_path: Path) -> None:
    sample.to_parquet(tmp_path)
    assert {"web-ops", "123456789012", "i-0123456789abcdef0", "webservers"} <= {*leaked(sample, tmp_path)}


def test_the_files_load_to_the_same_reach(reach: ssmlab.Reach, tmp_path: Path) -> None:
    main(["pseudonymise", "data/sample", str(tmp_path)])
    again = ssmlab.reach(ssmlab.load(tmp_path)).summary()
    assert again.reset_index(drop=True).equals(reach.summary().reset_index(drop=True))


def test_the_other_ways_in_are_as_many(sample: ssmlab.Snapshot, other: ssmlab.Snapshot) -> None:
    assert len(ssmlab.check_policies(other)) == len(ssmlab.check_policies(sample))
    assert [*other.principals["trust"].isna()] == [*sample.principals["trust"].isna()]
    before, after = (ssmlab.find_paths(snapshot).outcomes for snapshot in (sample, other))
    assert (before == after).all()


def test_a_snapshot_of_the_same_seed_is_the_same_and_another_seed_gives_other_names(
    sample: ssmlab.Snapshot, other: ssmlab.Snapshot
) -> None:
    again, third = ssmlab.pseudonymise(sample), ssmlab.pseudonymise(sample, seed=1)
    assert [*again.nodes.index] == [*other.nodes.index]
    assert {*third.nodes["node_id"]} & {*other.nodes["node_id"]} == set()


def test_what_is_aws_s_stays(sample: ssmlab.Snapshot, other: ssmlab.Snapshot) -> None:
    for column in ("region", "kind", "platform", "ping_status", "managed", "last_ping"):
        assert [*other.nodes[column].astype(str)] == [*sample.nodes[column].astype(str)]
    of_aws = sample.documents["account"] == ""
    assert [*other.documents.index[of_aws]] == [*sample.documents.index[of_aws]]
    assert [*other.nodes.columns] == [*sample.nodes.columns]
    named = "arn:aws:iam::aws:policy/AdministratorAccess"
    assert to_json(other.policies["document"][named]) == to_json(sample.policies["document"][named])


def test_names_keep_their_shape(sample: ssmlab.Snapshot, other: ssmlab.Snapshot) -> None:
    for name in ("principals", "nodes", "policies"):
        before, after = (getattr(snapshot, name).index for snapshot in (sample, other))
        assert [*map(shape, before)] == [*map(shape, after)]
    assert all(re.fullmatch(r"m?i-[0-9a-f]{17}", node) for node in other.nodes["node_id"])


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("web*", ["web", "webserver", "Webserver-1", "cobweb", "weber-web", "we"]),
        ("*web", ["web", "webserver", "cobweb", "cob-web"]),
        ("*aba*", ["ababa", "abba", "ABABA", "xaba", "ab-aba"]),
        ("i-?1", ["i-01", "i-11", "i-10", "i-1"]),
        ("Web?erver*", ["WebServer", "webServer", "WebServers", "Weberver"]),
        ("document/*Shell*", ["document/AWS-RunShellScript", "document/MyShell", "document/Shall"]),
        ("arn:aws:ec2:eu-*:*:instance/i-0a*", ["arn:aws:ec2:eu-west-1:123456789012:instance/i-0a1b2c3d4e5f67890"]),
    ],
)  # fmt: skip
@given(seed=st.integers(0, 1 << 30))
@settings(max_examples=20)
def test_a_pattern_takes_the_same_texts_as_before(pattern: str, texts: list[str], seed: int) -> None:
    def glob(text: str) -> re.Pattern[str]:
        return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."))

    names = settled(pattern, *texts, seed=seed)
    before = [bool(glob(pattern).fullmatch(text)) for text in texts]
    assert [bool(glob(names.text(pattern)).fullmatch(names.text(text))) for text in texts] == before
    assert len({*map(names.text, texts)}) == len({*texts})


def test_all_numbers_of_a_length_are_enough_for_themselves() -> None:
    texts = [f"host-{number:03}" for number in range(1000)]
    assert len({*map(settled("host-11*", *texts).text, texts)}) == 1000


def test_capitals_stay_and_words_that_differ_only_by_them_still_do() -> None:
    one, two = map(settled("WebServers", "webservers").text, ("WebServers", "webservers"))
    assert (one != two, one.lower() == two, one[0].isupper(), one[3].isupper()) == (True, True, True, True)


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:ssm:*::document/AWS-RunPatchBaseline",
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "ssm.amazonaws.com",
        "${aws:PrincipalTag/Team}",
        "arn:aws:ec2:us-gov-east-1:*:instance/*",
        "eu-west-1",
        "/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM",
        "true",
        "*",
    ],
)  # fmt: skip
def test_a_text_of_aws_stays(text: str) -> None:
    assert settled(text).text(text) == text


def test_addresses_keep_mask_and_what_lies_in_what() -> None:
    ranges = [
        "10.0.0.0/8",
        "10.20.0.0/16",
        "10.20.30.40",
        "203.0.113.0/24",
        "203.0.113.7/32",
        "2a00:1450::/48",
        "0.0.0.0/0",
    ]
    names = Names()
    for text in ranges:
        names.address(text)
    names.settle(0)
    wide, inner, one, office, desk, six, every = map(names.address, ranges)
    assert [wide, office, six, every] == ["10.0.0.0/8", "192.0.2.0/24", "2001:db8::/48", "0.0.0.0/0"]
    assert (re.fullmatch(r"10\.\d+\.0\.0/16", inner) is not None, inner != ranges[1]) == (True, True)
    assert one.startswith(inner.removesuffix("0.0/16"))
    assert re.fullmatch(r"192\.0\.2\.\d+/32", desk)


def test_names_inside_policies_change_alike_and_nothing_else_does(sample: ssmlab.Snapshot) -> None:
    document: dict[str, Any] = {
        "Version": "2012-10-17",
        "Statement": {
            "Sid": "WebTeam",
            "Effect": "Allow",
            "Action": "ssm:SendCommand",
            "Resource": "arn:aws:ssm:*:123456789012:document/RestartWebServer",
            "Condition": {
                "StringLike": {"ssm:resourceTag/Finance": ["WebServers", "${aws:PrincipalTag/Team, 'blue'}"]},
                "ArnEquals": {"aws:PrincipalArn": WEB},
                "Bool": {"aws:MultiFactorAuthPresent": "true"},
                "NumericLessThan": {"ssm:resourceTag/Level": "5"},
                "StringEquals": {"aws:RequestedRegion": "eu-west-1", "oidc.acme.example:sub": "acme"},
            },
        },
    }
    changed = ssmlab.pseudonymise(
        sample.with_policy(document, name="Web", principal=WEB).with_tags(NODE, {"Level": "3"})
    )
    row = changed.policies.iloc[-1]
    made = row["document"]["Statement"]
    assert row["attached_to"] == (changed.principals.index[[*sample.principals.index].index(WEB)],)
    assert made["Resource"] in {arn.replace("eu-west-1", "*") for arn in changed.documents.index}
    value, variable = made["Condition"]["StringLike"]["ssm:resourceTag/Finance"]
    assert value in {*changed.nodes["tag:Finance"].cat.categories}
    assert re.fullmatch(r"\$\{aws:PrincipalTag/Team, '[a-z]{4}'\}", variable)
    assert made["Condition"]["ArnEquals"] == {"aws:PrincipalArn": row["attached_to"][0]}
    for operator in ("Bool", "NumericLessThan"):
        assert made["Condition"][operator] == document["Statement"]["Condition"][operator]
    assert made["Condition"]["StringEquals"]["aws:RequestedRegion"] == "eu-west-1"
    assert "3" in {*changed.nodes["tag:Level"].dropna()}
    assert not re.search("acme|blue|WebTeam", json.dumps(made))


def test_a_repeated_key_stays_repeated(sample: ssmlab.Snapshot) -> None:
    twice = '{"Statement": {"Sid": "Mine", "Sid": "Mine", "Effect": "Allow", "Action": "*", "Resource": "*"}}'
    changed = ssmlab.pseudonymise(sample.with_policy(twice, name="Twice", principal=WEB))
    assert changed.policies["document"].iloc[-1]["Statement"].repeated == ("Sid",)


def test_a_reach_that_changed_is_refused_with_its_place(sample: ssmlab.Snapshot) -> None:
    changed = sample.with_tags(NODE, {"Finance": "Ledger"})
    message = f"got `implicitDeny` for `{WEB}` with `arn:aws:ssm:.*` on `arn:.*/i-0123456789abcdef0`, was `allowed`"
    with pytest.raises(ValueError, match=message):
        rewriting._verify(sample, changed)


@given(seed=st.integers(0, 1 << 30))
@settings(max_examples=15)
def test_a_random_snapshot_keeps_its_reach(seed: int) -> None:
    snapshot = random_snapshot(Random(seed))
    changed = ssmlab.pseudonymise(snapshot, seed)
    before, after = (ssmlab.reach(own, context={"aws:MultiFactorAuthPresent": "true"}) for own in (snapshot, changed))
    assert (before.summary().to_numpy() == after.summary().to_numpy()).all()
    assert {*changed.principals["account"]}.isdisjoint(snapshot.principals["account"])


def test_an_account_that_stands_as_a_number_keeps_its_digits() -> None:
    for names in (settled("123456789012", seed=seed) for seed in range(50)):
        assert str(rewriting._walk(123456789012, names)) == names.text("123456789012")
