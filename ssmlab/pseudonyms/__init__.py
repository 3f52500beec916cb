"""One's own snapshot made safe to teach with: other names, the same reach."""

from ssmlab.pseudonyms.rewriting import pseudonymise

__all__ = ["pseudonymise"]
