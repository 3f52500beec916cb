"""What was worked out from frames, remembered for as long as it may serve again."""

import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

_KEPT: Final = 4
Made = TypeVar("Made")


@contextmanager
def without_collector() -> Iterator[None]:
    """No garbage collection: many small objects come to stay, and it would search them again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Memory:
    """The latest results of each kind, with what they were made from.

    Frames are told apart by identity, everything that can be hashed by value; nothing here is ever changed, so that an
    old result is as good as a new one.
    """

    def __init__(self) -> None:
        self._kept: dict[str, deque[tuple[tuple[Any, ...], Any]]] = {}

    def recall(self, kind: str, made_from: tuple[Any, ...], make: Callable[[], Made]) -> Made:
        """The result made from just this, else a new one."""
        for known, result in self._kept.get(kind, ()):
            if len(known) == len(made_from) and all(map(_is_same, known, made_from)):
                return result  # type: ignore[no-any-return]
        result = make()
        self._kept.setdefault(kind, deque(maxlen=_KEPT)).appendleft((made_from, result))
        return result

    def latest(self, kind: str) -> Iterable[Any]:
        """The results of a kind, the newest first."""
        return [result for _, result in self._kept.get(kind, ())]


def _is_same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and isinstance(one, str | frozenset) and one == other)
