"""How well identities are recognised: verification's rules on the sandbox's labelled corpus, each half apart.

Two questions are counted. *Account*: the outcome is `match`, the only one that pays a new account. *Recognised*: any outcome that says
who the person is (`match`, `weak_match`, `number_changed`, `dead`, `moved`), among them those that pay by post or stop a payment. A
recognition is right when it names the entry that the person truly is, false when it names another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.holder_masks import masks
from sandbox.identity_pairs import HALVES, Pair, pairs
from sandbox.identity_people import Entry
from services.verification.matching import RegisterPerson, judge
from shared.names import fits_mask
from shared.personal import Identity
from shared.words import Outcome

RECOGNISED = frozenset((Outcome.MATCH, Outcome.WEAK_MATCH, Outcome.NUMBER_CHANGED, Outcome.DEAD, Outcome.MOVED))
ACCOUNT = frozenset((Outcome.MATCH,))
UNDECIDABLE = "undecidable_"


@dataclass
class Counted:
    """Of cases: `right` recognitions, `false` ones, `same` cases that have a true entry, `other` that have none."""

    right: int = 0
    false: int = 0
    same: int = 0
    other: int = 0

    @property
    def precision(self) -> float:
        """Right ones of all recognitions; 1 where nobody was recognised."""
        return self.right / (self.right + self.false) if self.right + self.false else 1.0

    @property
    def recall(self) -> float:
        """Right ones of all who have a true entry."""
        return self.right / self.same if self.same else 1.0

    @property
    def bound(self) -> float | None:
        """None of n was false: with 95 % confidence at most 3/n are (rule of three). None when one was, or there was no case."""
        return 3 / self.other if self.other and not self.false else None


@dataclass
class Half:
    """One half of the corpus."""

    account: Counted = field(default_factory=Counted)
    recognised: Counted = field(default_factory=Counted)
    decidable: Counted = field(default_factory=Counted)
    by_kind: dict[str, Counter[str]] = field(default_factory=dict)


def measure(count: int, seed: int) -> dict[str, Half]:
    """Judge every case of the corpus."""
    made = {half: Half() for half in HALVES}
    for pair in pairs(count, seed):
        said = judge(Identity.model_validate(_filled(pair.written)), [_entry(entry) for entry in pair.register])
        half = made[pair.half]
        _count(half.account, pair, said.token if said.outcome in ACCOUNT else None)
        recognised = said.token if said.outcome in RECOGNISED else None
        _count(half.recognised, pair, recognised)
        if not pair.kind.startswith(UNDECIDABLE):
            _count(half.decidable, pair, recognised)
        half.by_kind.setdefault(pair.kind, Counter())[_word(pair, said.outcome, said.token)] += 1
    return made


def measure_masks(count: int, seed: int) -> dict[str, int]:
    """How many masked holders may be the person on the list, where the account is theirs and where it is not."""
    told = Counter[str]()
    for mask in masks(count, seed):
        whose = "own" if mask.same else "foreign"
        told[whose] += 1
        told[f"{whose}_fit"] += fits_mask(mask.mask, mask.name)
    return {word: told[word] for word in ("own", "own_fit", "foreign", "foreign_fit")}


def as_json(made: dict[str, Half], masked: dict[str, int]) -> dict[str, Any]:
    """Per half the three counts; kinds of cases only of the tuning half: whoever mends the rules must not look at the other."""
    told: dict[str, Any] = {
        name: {question: _figures(getattr(half, question)) for question in ("account", "recognised", "decidable")}
        for name, half in made.items()
    }
    told["tuning"]["kinds"] = {kind: dict(outcomes) for kind, outcomes in sorted(made["tuning"].by_kind.items())}
    return told | {"masks": masked}


def lines(made: dict[str, Half], masked: dict[str, int]) -> Iterator[str]:
    """The figures as text."""
    for name, half in made.items():
        for question in ("account", "recognised", "decidable"):
            counted: Counted = getattr(half, question)
            bound = f"; with 95 % confidence below {counted.bound:.4f}" if counted.bound is not None else ""
            yield (
                f"{name:<9} {question:<11} precision {counted.precision:.4f}  recall {counted.recall:.4f}  "
                f"false {counted.false} of {counted.other} who are nobody's{bound}"
            )
    yield (
        f"masks     fit the person {masked['own_fit']} of {masked['own']}, somebody else {masked['foreign_fit']} of "
        f"{masked['foreign']}: a mask pays nobody"
    )


def _count(counted: Counted, pair: Pair, token: str | None) -> None:
    counted.same += pair.truth is not None
    counted.other += pair.truth is None
    counted.right += token is not None and token == pair.truth
    counted.false += token is not None and token != pair.truth


def _word(pair: Pair, outcome: Outcome, token: str | None) -> str:
    wrong = outcome in RECOGNISED and token != pair.truth
    return f"{outcome} (false)" if wrong else str(outcome)


def _figures(counted: Counted) -> dict[str, Any]:
    bound = None if counted.bound is None else round(counted.bound, 5)
    shares = {"precision": round(counted.precision, 5), "recall": round(counted.recall, 5), "false_below": bound}
    return {"right": counted.right, "false": counted.false, "same": counted.same, "other": counted.other, **shares}


def _filled(fields: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in fields.items() if text}


def _entry(entry: Entry) -> RegisterPerson:
    fields = _filled(entry)
    token, status, replaced_by = fields.pop("token"), fields.pop("status"), fields.pop("replaced_by", None)
    return RegisterPerson(token, Identity.model_validate(fields), status, None, replaced_by)  # type: ignore[arg-type]
