"""The shell script that collects what `ssmlab.load` reads."""

from importlib.resources import files


def collect_script() -> str:
    r"""The text of a shell script of read-only AWS CLI calls that fills a folder for `ssmlab.load`.

    Its header tells what it calls, its option ``--permissions`` which IAM permissions that needs.

    Examples
    --------
    >>> print(*collect_script().splitlines()[:4], sep="\n")
    #!/usr/bin/env bash
    # Fills a folder with what ssmlab reads of one AWS account, by read-only AWS CLI calls.
    #
    #   bash collect.sh [--skip NAME]… OUT_DIR [REGION…]     without a Region: the one the AWS CLI is set to
    """
    return files("ssmlab").joinpath("collect.sh").read_text(encoding="utf-8")
