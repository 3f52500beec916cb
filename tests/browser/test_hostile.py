"""No script of a tag, a name or a policy runs in any explorer, in a real JupyterLab."""

from typing import Any

import pytest
from hostile import PAYLOADS
from playwright.sync_api import Page, expect

SNAPSHOT = f"""
import ssmlab
from ssmlab import widgets

PAYLOADS = {PAYLOADS!r}
snapshot = ssmlab.load("../data/sample")
texts = [PAYLOADS[row % len(PAYLOADS)] for row in range(len(snapshot.nodes))]
keys = {{f"tag:{{text}}": text for text in PAYLOADS[:8]}}
nodes = snapshot.nodes.assign(**{{"name": texts, "tag:Env": texts, "tag:Finance": texts}}, **keys)
documents = snapshot.documents.assign(name=[PAYLOADS[row] for row in range(len(snapshot.documents))])
principals = snapshot.principals.assign(name=PAYLOADS[: len(snapshot.principals)])
snapshot = snapshot.replace(nodes=nodes, documents=documents, principals=principals)
web_ops = "arn:aws:iam::123456789012:user/web-ops"
for text in PAYLOADS:
    body = {{"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "*",
            "Condition": {{"StringLike": {{"ssm:resourceTag/Env": [text, "*"]}}}}}}
    snapshot = snapshot.with_policy({{"Version": "2012-10-17", "Statement": [body]}}, name=text, principal=web_ops)
"""
OTHERS = ("PolicyLab", "TagLab", "Compare", "Readiness", "CommandExplorer")
SCREENS = [
    "ReachExplorer(snapshot, principals=[web_ops], denied=True)",
    *(pytest.param(f"{name}(snapshot)", marks=pytest.mark.slow) for name in OTHERS),
]


@pytest.mark.parametrize("screen", SCREENS)
def test_no_script_of_the_data_runs(lab: Any, screen: str) -> None:
    lab.write("hostile.ipynb", SNAPSHOT, f"widgets.{screen}")
    page: Page = lab.open("hostile.ipynb")
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    lab.run_all()
    explorer = page.locator(".ssmlab-explorer").first
    for number in range(explorer.get_by_role("tab").count()):
        explorer.get_by_role("tab").nth(number).click()
        page.wait_for_timeout(600)
        for mark in explorer.locator(".mark.node, [role=gridcell], tbody td").all()[:40]:
            if mark.is_visible():
                mark.dispatch_event("click")
                mark.dispatch_event("mouseover")
    page.wait_for_timeout(500)
    assert dialogs == []
    assert page.evaluate("window.ran") is None
    expect(explorer).to_contain_text("script")  # shown, as text
