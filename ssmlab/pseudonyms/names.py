"""What texts, values, addresses and messages become."""

import hashlib
import re
from random import Random
from typing import Final

from ssmlab.conditions.values import Network, read_date, read_network, read_number
from ssmlab.pseudonyms.addresses import place
from ssmlab.pseudonyms.words import TOKEN, WORD, assign, find_fragments, is_word, lower, split_head

_AWS_VALUES: Final = (  # keys whose values are AWS's words, or tag keys
    *("aws:requestedregion", "aws:principaltype", "aws:principalservicename", "aws:tagkeys"),
    *("aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "iam:passedtoservice"),
    *("ssm:documenttype", "ec2:region", "ec2:instancetype"),
)
_PLACE: Final = re.compile(r"\S*(?:\d|[/:._-]\S)\S*")  # in a sentence: an id, a file, a place in one


class Names:
    """Every text that was met and, once settled, what it becomes; until then it stays as it is.

    Attributes
    ----------
    values
        Tag key in lower case, or "" for names and accounts → the values that were met.
    numeric
        Condition keys that are compared as numbers or dates: their numbers and dates stay.
    """

    def __init__(self) -> None:
        self.values: dict[str, set[str]] = {}
        self.numeric: set[str] = set()
        self._met: set[str] = set()
        self._words: dict[str, str] = {}
        self._networks: dict[Network, str] = {}

    def settle(self, seed: int) -> None:
        """Choose what every word and address becomes. The choice hangs on all of them, so that nobody who knows the
        seed alone can try names.
        """
        rng = Random(f"{seed} {hashlib.sha256(ascii(sorted(self._met)).encode()).hexdigest()}")
        fragments = {found for text in self._met for found in find_fragments(text, self.values)}
        self._words, self._networks = assign(rng, self._met, fragments), place(rng, self._networks)

    def text(self, text: str) -> str:
        """A text or pattern."""
        self._met.add(text)
        head, rest = split_head(text)
        return head + TOKEN.sub(self._token, rest)

    def value(self, key: str, text: str) -> str:
        """A value of a condition key, given in lower case."""
        is_number = key in self.numeric and (read_number(text) is not None or read_date(text) is not None)
        return text if is_number or key in _AWS_VALUES else self.text(text)

    def address(self, text: str) -> str:
        """An IP address or range."""
        network = read_network(text)
        if network is None:
            return self.text(text)
        made = self._networks.setdefault(network, text)
        return made if "/" in text else made.partition("/")[0]

    def message(self, text: str) -> str:
        """A sentence: what stands in backticks, and ids and files elsewhere; tag keys stay."""
        parts = text.split("`")
        parts[::2] = [_PLACE.sub(lambda match: self._known(match[0]), part) for part in parts[::2]]
        parts[1::2] = [part if part.lower() in self.values else self.text(part) for part in parts[1::2]]
        return "`".join(parts)

    def _known(self, text: str) -> str:
        return WORD.sub(lambda match: self._word(match[0]), text)

    def _token(self, match: re.Match[str]) -> str:
        token = match[0]
        if token.startswith("${"):  # its default is a text, its key is not
            return re.sub(r"'[^']*'", lambda default: self.text(default[0]), token)
        return self._word(token) if is_word(token) else token

    def _word(self, word: str) -> str:
        image = self._words.get(lower(word), word)
        return "".join(new.upper() if old.isupper() else new for old, new in zip(word, image, strict=True))
