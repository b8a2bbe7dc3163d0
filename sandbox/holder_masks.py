"""What a bank answers when it is asked whose an account is: a masked name, of the person or of somebody else. All SYNTHETIC."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from sandbox.identity_people import Body, Draw
from sandbox.names import without_accents


@dataclass(frozen=True, slots=True)
class Masked:
    """A mask, the name on the list, whether the account is that person's. Somebody else's name may fit too: a mask proves nothing."""

    kind: str
    mask: str
    name: str
    same: bool


def masks(count: int, seed: int) -> Iterator[Masked]:
    """`count` masks, half of them of somebody else."""
    for place in range(count):
        draw = Draw(Random(f"{seed}:mask:{place}"))
        kind = sorted(STYLES)[place // 2 % len(STYLES)]
        body = draw.body()
        owner = body if place % 2 == 0 else draw.body(_somebody_else(body))
        yield Masked(kind, STYLES[kind](without_accents(owner.full).upper()), body.full, same=place % 2 == 0)


def _somebody_else(body: Body) -> Callable[[Body], bool]:
    return lambda other: other.full != body.full


def _each(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda name: " ".join(change(word) for word in name.split())


def _given_shown(name: str) -> str:
    words = name.split()
    return " ".join([*(word[0] + "***" for word in words[:-1]), words[-1]])


STYLES: Mapping[str, Callable[[str], str]] = {
    "letters": _each(lambda word: word[0] + "*" * (len(word) - 1)),
    "three_stars": _each(lambda word: word[0] + "***"),
    "ends_shown": _each(lambda word: word[0] + "*" * max(len(word) - 2, 1) + word[-1]),
    "given_shown": _given_shown,
}
