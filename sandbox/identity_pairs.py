"""A labelled corpus of identities: what a list writes, what a register holds, who of them the person
truly is. All SYNTHETIC.

Made by code that knows nothing of any matcher. Half of it is for tuning, half is held out: the halves are
drawn from different seeds. Spellings that sound alike (hoà and hòa, Lí and Lý) are one name here: no
parents give them to twins. Twins whose number and birthday were confused are in it on purpose; some of
them nobody could tell apart from what is written, and they count against whoever accepts them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from sandbox.identity_people import Body, Draw, Entry, Kind, Made, Written, entry, written
from sandbox.identity_twins import OTHER
from sandbox.names import decomposed, i_for_y, old_tone_placement, without_accents

HALVES = ("tuning", "held_out")
PAIRS = 3_000
SEED = 2024


@dataclass(frozen=True, slots=True)
class Pair:
    """One case. `truth` is the token of the register entry that the written person is; None when none is."""

    kind: str
    half: str
    written: Written
    register: tuple[Entry, ...]
    truth: str | None


def pairs(count: int = PAIRS, seed: int = SEED) -> Iterator[Pair]:
    """`count` cases, every kind equally often in both halves (as far as the count goes)."""
    kinds = sorted(KINDS)
    for place in range(count):
        turn, half = place // len(HALVES), HALVES[place % len(HALVES)]
        kind = kinds[turn % len(kinds)]
        made = KINDS[kind](Draw(Random(f"{seed}:{half}:{turn}")))
        yield Pair(kind, half, *made)


def _same(body: Body, written_: Written, **register: str) -> Made:
    return written_, (entry(body, "r1", **register),), "r1"


def _renamed(change: Callable[[str], str]) -> Kind:
    """The person, whose name the list writes in another way."""

    def make(draw: Draw) -> Made:
        body = draw.body(lambda b: change(b.full) != b.full)
        return _same(body, written(body, full_name=change(body.full)))

    return make


def _plain(draw: Draw) -> Made:
    body = draw.body()
    return _same(body, written(body))


def _upper_with_spaces(name: str) -> str:
    return f" {name.upper().replace(' ', '  ')} "


def _marks_in_other_order(name: str) -> str:
    """Decomposed, the marks of each letter the other way round: canonically the same text."""
    out, marks = "", ""
    for char in decomposed(name):
        if 0x300 <= ord(char) <= 0x36F:
            marks = char + marks
        else:
            out, marks = out + marks + char, ""
    return out + marks


def _bare_syllable(name: str) -> str:
    """One syllable lost its accents: a slip of the typist."""
    words = name.split()
    place = next((i for i, word in enumerate(words) if without_accents(word) != word), 0)
    return " ".join([*words[:place], without_accents(words[place]), *words[place + 1 :]])


def _given_first(name: str) -> str:
    words = name.split()
    return " ".join([words[-1], *words[:-1]])


def _family_last(name: str) -> str:
    words = name.split()
    return " ".join([*words[1:], words[0]])


def _western(name: str) -> str:
    words = name.split()
    return " ".join([words[-1], *words[1:-1], words[0]])


def _without_middle(name: str) -> str:
    words = name.split()
    return f"{words[0]} {words[-1]}"


def _one_middle_less(name: str) -> str:
    words = name.split()
    return " ".join([words[0], *words[2:]]) if len(words) > 3 else name


def _typo(name: str) -> str:
    """Two letters of the family name change places."""
    return name[0] + name[2] + name[1] + name[3:]


def _family_d(name: str) -> str:
    return "D" + name[1:] if name.startswith("Đ") else name


def _birth_written(change: Callable[[str], str]) -> Kind:
    def make(draw: Draw) -> Made:
        body = draw.body(lambda b: change(b.born.isoformat()) != b.born.isoformat())
        return _same(body, written(body, birth_date=change(body.born.isoformat())))

    return make


def _swapped_day_and_month(birth: str) -> str:
    year, month, day = birth.split("-")
    return f"{year}-{day}-{month}" if int(day) <= 12 else birth


def _register_year_only(draw: Draw) -> Made:
    body = draw.body()
    return _same(body, written(body), birth_date=str(body.born.year))


def _sex_wrong(draw: Draw) -> Made:
    body = draw.body()
    return _same(body, written(body, sex="male" if body.sex == "female" else "female"))


def _old_number_only(draw: Draw) -> Made:
    body = draw.body()
    return _same(body, written(body, personal_number="", old_number=body.old))


def _old_number_and_year(draw: Draw) -> Made:
    body = draw.body()
    return _same(body, written(body, personal_number="", old_number=body.old, birth_date=str(body.born.year)))


def _no_number(draw: Draw) -> Made:
    body = draw.body()
    return _same(body, written(body, personal_number=""))


def _no_number_beside_a_namesake(draw: Draw) -> Made:
    """The namesake was born in the same year on another day: the day tells them apart."""
    body = draw.body()
    other = draw.like(body, born=draw.other_day(body.born))
    return written(body, personal_number=""), (entry(body, "r1"), entry(other, "r2")), "r1"


def _number_changed(draw: Draw) -> Made:
    body = draw.body()
    renewed = draw.renumbered(body)
    signpost = entry(body, "r1", replaced_by=renewed.number)
    return written(body), (signpost, entry(renewed, "r2")), "r2"


def _number_changed_and_dead(draw: Draw) -> Made:
    said, (signpost, renewed), truth = _number_changed(draw)
    return said, (signpost, {**renewed, "status": "dead"}), truth


def _with_status(status: str) -> Kind:
    def make(draw: Draw) -> Made:
        body = draw.body()
        return _same(body, written(body), status=status)

    return make


SAME: Mapping[str, Kind] = {
    "same": _plain,
    "same_upper_spaces": _renamed(_upper_with_spaces),
    "same_decomposed": _renamed(decomposed),
    "same_marks_in_other_order": _renamed(_marks_in_other_order),
    "same_no_break_space": _renamed(lambda name: name.replace(" ", "\u00a0")),
    "same_zero_width": _renamed(lambda name: name.replace(" ", " \u200b")),
    "same_tone_placement": _renamed(old_tone_placement),
    "same_i_for_y": _renamed(i_for_y),
    "same_eth": _renamed(lambda name: name.replace("Đ", "Ð")),
    "same_dd": _renamed(lambda name: name.replace("Đ", "DD")),
    "same_family_d": _renamed(_family_d),
    "same_no_accents": _renamed(without_accents),
    "same_no_accents_upper": _renamed(lambda name: without_accents(name).upper()),
    "same_bare_syllable": _renamed(_bare_syllable),
    "same_given_first": _renamed(_given_first),
    "same_family_last": _renamed(_family_last),
    "same_western": _renamed(_western),
    "same_middle_missing": _renamed(_without_middle),
    "same_one_middle_less": _renamed(_one_middle_less),
    "same_typo": _renamed(_typo),
    "same_year_only": _birth_written(lambda birth: birth[:4]),
    "same_month_only": _birth_written(lambda birth: birth[:7]),
    "same_january_first": _birth_written(lambda birth: f"{birth[:4]}-01-01"),
    "same_day_and_month_swapped": _birth_written(_swapped_day_and_month),
    "same_register_year_only": _register_year_only,
    "same_sex_wrong": _sex_wrong,
    "same_old_number_only": _old_number_only,
    "same_old_number_and_year": _old_number_and_year,
    "same_no_number": _no_number,
    "same_no_number_beside_a_namesake": _no_number_beside_a_namesake,
    "same_number_changed": _number_changed,
    "same_number_changed_and_dead": _number_changed_and_dead,
    "same_dead": _with_status("dead"),
    "same_moved": _with_status("moved"),
}
KINDS: Mapping[str, Kind] = {**SAME, **OTHER}
