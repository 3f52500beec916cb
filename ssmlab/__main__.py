"""``python -m ssmlab``."""

from ssmlab.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
