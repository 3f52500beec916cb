"""What a review found in loading: each once more, in the shape in which it was found."""

import json
import shutil
from pathlib import Path

import pytest

import ssmlab

WEB = "i-0123456789abcdef0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree("data/sample", tmp_path / "sample"))


@pytest.mark.parametrize("content", [None, "", "{", "[]"], ids=["missing", "empty", "cut off", "a list"])
def test_a_list_of_documents_that_cannot_be_read_leaves_those_of_aws(folder: Path, content: str | None) -> None:
    for path in folder.glob("*/eu-west-1/list-documents.json"):
        path.unlink()
        if content is not None:
            path.write_text(content)
    reach = ssmlab.reach(ssmlab.load(folder))
    assert reach.outcome("web-ops", WEB, "AWS-RunShellScript") == "allowed"


def test_the_management_account_stands_in_the_arn_of_the_root_too(folder: Path) -> None:
    (folder / "organizations" / "describe-organization.json").unlink()
    assert ssmlab.load(folder).management_account == "999988887777"


def test_the_default_version_of_a_policy_is_found_by_either_mark(folder: Path) -> None:
    path = folder / "123456789012" / "get-account-authorization-details.json"
    details = json.loads(path.read_text())
    for policy in details["Policies"]:
        del policy["DefaultVersionId"]
    path.write_text(json.dumps(details))
    assert ssmlab.reach(ssmlab.load(folder)).outcome("web-ops", WEB, "AWS-RunShellScript") == "allowed"


def test_a_first_page_without_a_number_goes_with_a_second_one(folder: Path) -> None:
    place = folder / "123456789012" / "eu-west-1"
    (place / "describe-instance-information.1.json").rename(place / "describe-instance-information.json")
    assert ssmlab.load(folder).nodes["managed"].notna().all()


def test_documents_whose_tags_were_not_collected_are_named(folder: Path) -> None:
    path = folder / "123456789012" / "us-east-2" / "list-documents.json"
    listed = json.loads(path.read_text())
    for document in listed["DocumentIdentifiers"]:
        document.pop("Tags", None)
    path.write_text(json.dumps(listed))
    what = ssmlab.load(folder).problems["what"]
    assert what.str.startswith("not collected: the tags of documents `").any()
