"""Words to pseudonyms, so that equality, capitals and wildcards answer as before.

A word (letters and digits between other characters) becomes one of the same length, with letters, digits and capitals
at the same places. Where a wildcard of a policy cuts words (`web*`), the piece is exchanged letter by letter, alike in
all words in which it stands.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from random import Random
from typing import Final

_REGION: Final = r"(?:af|ap|ca|cn|eu|il|me|mx|sa|us)-(?:gov-|iso[a-z]?-)?(?:central|(?:north|south)?(?:east|west)?)-\d"
_ID: Final = r"(?:i|mi|o|ou|p|r)-"  # before the id of an instance, node, organization, unit, policy, root
_KEPT: Final = rf"(?<![^\W_])(?:{_REGION}(?![^\W_])|{_ID})"
WORD: Final = re.compile(r"[^\W_]+")
TOKEN: Final = re.compile(rf"\$\{{[^{{}}]*\}}|{_KEPT}|{WORD.pattern}")
_PIECE: Final = re.compile(rf"{TOKEN.pattern}|.", re.DOTALL)
# Partition, service and Region of an ARN or of a pattern of ARNs.
_HEAD: Final = re.compile(r"arn:[\w*?-]*:[\w*?-]*:(?:(?:[a-z]{2}(?=[-*?])|[*?])[a-z0-9*?-]*)?(?=:)")
_OWNED: Final = re.compile(
    r"(?:document/(?=AWS|Amazon)|::aws:policy/|(?=AWSServiceRoleFor)|\bp-(?=(?:RCP)?FullAWSAccess))[\w/-]+"
    r"|[\w.-]+\.amazonaws\.com"
)
_ARN_WORDS: Final = (
    "arn aws cn iam ec2 ssm sts user group root role policy service instance profile document managed assumed federated"
    " saml oidc provider parameter session boundary organization amazon amazonaws com true false"
)
_DIGITS, _HEX, _LETTERS = "0123456789", "abcdef", "abcdefghijklmnopqrstuvwxyz"
_RARE: Final = "".join(map(chr, range(0x20000, 0x20020)))  # in UTF-16 of two units, as what they stand for
_TRIES, _DRAWS = 20, 2000
_SHORT: Final = 4  # shorter words are so few that a pseudonym may be another one's original
Fragment = tuple[str, bool, bool]  # a piece of words between wildcards: is there one before it, one after it?


def lower(word: str) -> str:
    """In lower case letter by letter, and of the same length."""
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in word)


def is_word(token: str) -> bool:
    """Is it a word of one's own, not a Region, the start of an id, a variable?"""
    return WORD.fullmatch(token) is not None


def split_head(text: str) -> tuple[str, str]:
    """Cut off what is AWS's at the start of an ARN.

    >>> split_head("arn:aws:ec2:eu-*:123456789012:instance/*")
    ('arn:aws:ec2:eu-*', ':123456789012:instance/*')
    """
    head = _HEAD.match(text)
    return (head[0], text[head.end() :]) if head else ("", text)


def find_fragments(text: str, values: Mapping[str, Iterable[str]]) -> Iterator[Fragment]:
    """The words of a pattern that a wildcard cuts; `values`: of a tag key in lower case, "" of other variables.

    >>> [*find_fragments("arn:aws:ec2:*:*:instance/Web*", {})]
    [('web', False, True)]
    """
    if not re.search(r"[*?]|\$\{", text):
        return
    pieces = _PIECE.findall(split_head(text)[1])
    for before, piece, after in zip(["", *pieces], pieces, [*pieces[1:], ""], strict=False):
        if is_word(piece) and (_is_open(before) or _is_open(after)):
            yield lower(piece), _is_open(before), _is_open(after)
        elif piece.startswith("${"):
            first, last = (_is_open(one) or is_word(one) for one in (before, after))
            tag = piece[2:-1].partition(",")[0].strip().lower().partition("/")[2]
            for own in map(WORD.findall, values.get(tag, ()) if first or last else ()):
                yield from ((lower(word), first, False) for word in own[:1] if first)
                yield from ((lower(word), False, last) for word in own[-1:] if last)


def _is_open(piece: str) -> bool:
    return piece in ("*", "?") or piece.startswith("${")


def _spots(fragment: Fragment, word: str) -> list[int]:
    """Where in a word a fragment stands, of the places that its wildcards leave."""
    piece, before, after = fragment
    last = len(word) - len(piece)
    places = range(last + 1) if before and after else [last] if before else [0]
    return [at for at in places if last >= 0 and word.startswith(piece, at)]


def assign(rng: Random, texts: Iterable[str], fragments: set[Fragment]) -> dict[str, str]:
    """Word → pseudonym, both in lower case, so that every fragment stands in pseudonyms just where it stood in words.

    Raises
    ------
    ValueError
        Where there are more short words than pseudonyms of their length.
    """
    listed = list(texts)
    owned = {lower(word) for text in listed for own in _OWNED.findall(text) for word in WORD.findall(own)}
    kept = owned.union(_ARN_WORDS.split())
    words = {lower(word) for text in listed for word in TOKEN.findall(split_head(text)[1]) if is_word(word)}
    words |= {own for own, *_ in fragments}
    for _ in range(_TRIES):
        if images := _try(rng, words - kept, kept, sorted(fragments)):
            return images
    raise ValueError("expected fewer short words in names and tags than there are pseudonyms of their length")


def _try(rng: Random, words: set[str], kept: set[str], fragments: list[Fragment]) -> dict[str, str] | None:
    """Words without a choice come first. The last draw exchanges letter by letter, so that no fragment comes in by
    chance.
    """
    fixed = {char for own in fragments if any(_spots(own, word) for word in kept) for char in own[0]}
    table = _exchange(rng, fixed)
    tests = [(own, (own[0].translate(table), *own[1:])) for own in fragments]
    images = {word: word for word in kept}
    covers = _cover(words, fragments)
    taken = set(kept)
    for word in sorted(words, key=lambda own: (len(covers[own]) < len(own), len(own), own)):
        avoided = words if len(word) >= _SHORT and len(covers[word]) < len(word) else set[str]()
        for draw in range(_DRAWS):
            made = "".join(
                char.translate(table) if at in covers[word] or draw == _DRAWS - 1 else rng.choice(_alphabet(char, word))
                for at, char in enumerate(word)
            )
            is_free = made not in taken and made not in avoided
            if is_free and all(_spots(own, word) == _spots(image, made) for own, image in tests):
                break
        else:
            return None
        images[word] = made
        taken.add(made)
    return images


def _cover(words: set[str], fragments: list[Fragment]) -> dict[str, set[int]]:
    """Which letters of a word have no choice: those of fragments, and of numbers so many that few are free."""
    numbers = Counter(len(word) for word in words if set(word) <= {*_DIGITS})
    covers = {
        word: {at + i for own in fragments for at in _spots(own, word) for i in range(len(own[0]))} for word in words
    }
    crowded = [word for word in words if set(word) <= {*_DIGITS} and 4 * numbers[len(word)] > 10 ** len(word)]
    return covers | {word: {*range(len(word))} for word in crowded}


def _exchange(rng: Random, fixed: set[str]) -> dict[int, str]:
    """Digits to digits, letters to letters, hexadecimal ones among themselves; some stay."""
    table = dict[int, str]()
    for alphabet in (_DIGITS, _HEX, _LETTERS[len(_HEX) :]):
        free = [char for char in alphabet if char not in fixed]
        table |= zip(map(ord, free), rng.sample(free, len(free)), strict=True)
    return table


def _alphabet(char: str, word: str) -> str:
    if char in _DIGITS:
        return _DIGITS
    is_hex = len(word) >= 8 and set(word) <= {*_DIGITS, *_HEX}
    return _HEX if is_hex else _LETTERS if char <= "\uffff" else _RARE
