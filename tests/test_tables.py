"""Frames as tables to read."""

import pandas as pd

from ssmlab.tables import show_table


def test_a_table_shows_texts_whole_and_as_text() -> None:
    sentence = "word " * 100 + "<script>alert(1)</script>"
    shown = show_table(
        pd.DataFrame({"tag:<b>": [sentence, None], "steps_taken": [2, 1], "key": ["`a` or `<i>`", ""]})
    ).data
    assert "word " * 100 + "&lt;script&gt;" in shown
    assert "<td><code>a</code> or <code>&lt;i&gt;</code></td>" in shown
    assert "<th>tag:&lt;b&gt;</th>" in shown
    assert "<th>steps_<wbr>taken</th>" in shown
    assert "None" not in shown
    arn = show_table(pd.DataFrame({"who": ['arn:aws:iam::123456789012:user/"a"']})).data
    assert '<span title="arn:aws:iam::123456789012:user/&quot;a&quot;">user/<wbr>&quot;a&quot;</span>' in arn
    assert not any(tag in shown for tag in ("<script", "<b>", "<i>"))


def test_a_column_whose_name_is_a_number_is_shown() -> None:
    assert "<th>1</th>" in show_table(pd.DataFrame({1: ["a"]})).data
