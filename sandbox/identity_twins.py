"""People of the corpus who are somebody else: twins, namesakes, neighbours, and numbers that lead astray. All SYNTHETIC.

In most of them the list carries the number of the other person, as when two rows slipped. `undecidable_` kinds hold nothing that
tells the two apart: whoever accepts one has accepted somebody else, and whoever refuses it refuses the same case told truly.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from sandbox.identity_people import Body, Draw, Kind, Made, entry, written
from sandbox.model import Name
from sandbox.names import without_accents

# Given names of real pairs of siblings differ in one sign: another tone, another letter, one without, d and đ, i and y.
TONES = ("Hòa Hóa", "Thủy Thúy", "Hương Hường", "Hiền Hiển", "Cương Cường", "Quý Quỳ", "Tiến Tiên", "Hạnh Hảnh", "Nhân Nhẫn")
LETTERS = ("Thu Thư", "Tâm Tám", "Lân Lan", "Tuân Tuấn", "Hưng Hùng", "Hân Hạn", "Thơ Thọ", "Sơn Son", "Vân Văn")
BARE = ("Hoa Hòa", "Dung Dũng", "Thanh Thành", "Hanh Hạnh", "Hoan Hoàn", "Tai Tài", "Minh Mịnh", "Huê Huệ", "Loan Loán")
D_SIGN = ("Doan Đoan", "Dương Đương", "Dang Đang", "Dông Đông", "Dân Đân", "Dào Đào", "Dạt Đạt", "Dức Đức", "Diệp Điệp")
I_AND_Y = ("Hai Hay", "Mai May", "Lai Lay", "Thái Tháy", "Thúi Thúy", "Hui Huy", "Dui Duy", "Thùi Thùy", "Mải Mảy")
FAMILIES = ("Vũ Võ", "Hoàng Huỳnh", "Lê Lều", "Đinh Đình", "Phan Phạm", "Hồ Hà", "Cao Cáo", "Mai Mải", "Đỗ Đô")
MIDDLES = ("Văn Vân", "Thị Thụy", "Hữu Hồng", "Xuân Xuyến", "Thu Thư", "Ngọc Ngân", "Đình Định", "Bá Ba", "Viết Việt")
TWO_GIVEN = ("Hoài Nam", "Minh Anh", "Thu Hà", "Khánh Linh", "Bảo Ngọc", "Quang Vinh", "Xuân Mai", "Đức Trung", "Hồng Vân")


def _twins(pairs: tuple[str, ...], put: Callable[[Name, str], Name]) -> Kind:
    """Two siblings born on one day; the list has the one with the number of the other. Both names have accents: a name without any may
    have lost them, and then nobody can tell."""

    def make(draw: Draw) -> Made:
        one, other = draw.rng.choice(pairs).split()
        if draw.rng.randrange(2):
            one, other = other, one
        body = draw.body(lambda b: all(_accented(put(b.name, word)) for word in (one, other)))
        name, others = put(body.name, one), put(body.name, other)
        return _number_of(draw.like(body, name=others), replace(body, name=name))

    return make


def _accented(name: Name) -> bool:
    return without_accents(name.full) != name.full


def _number_of(owner: Body, body: Body, **register: str) -> Made:
    """The list has a person with somebody else's number."""
    return written(body, personal_number=owner.number), (entry(owner, "r1", **register),), None


def _given(name: Name, word: str) -> Name:
    return replace(name, given=word)


def _family(name: Name, word: str) -> Name:
    return replace(name, family=word)


def _middle(name: Name, word: str) -> Name:
    return replace(name, middle=word)


def _swapped(draw: Draw) -> Made:
    """Lê Hoài Nam and Lê Nam Hoài."""
    one, other = draw.rng.choice(TWO_GIVEN).split()
    body = draw.body()
    owner = draw.like(body, name=replace(body.name, middle=other, given=one))
    return _number_of(owner, replace(body, name=replace(body.name, middle=one, given=other)))


def _brother_and_sister(draw: Draw) -> Made:
    body = draw.body(lambda b: b.sex == "female" and b.name.middle == "Thị")
    owner = replace(draw.like(body, name=replace(body.name, middle="Văn")), sex="male")
    return _number_of(owner, body)


def _stranger(draw: Draw) -> Made:
    body = draw.body()
    return _number_of(draw.body(lambda b: b.name.given != body.name.given), body)


def _stranger_who(status: str) -> Kind:
    def make(draw: Draw) -> Made:
        body = draw.body()
        return _number_of(draw.body(lambda b: b.name.given != body.name.given), body, status=status)

    return make


def _namesake(change: Callable[[Draw, Body], Body], cut: int | None = None) -> Kind:
    """The number of somebody of the same name; `cut`: how much of the birth date the list has."""

    def make(draw: Draw) -> Made:
        body = draw.body()
        said, register, truth = _number_of(change(draw, body), body)
        return {**said, "birth_date": said["birth_date"][:cut]}, register, truth

    return make


def _born_other_day(draw: Draw, body: Body) -> Body:
    return draw.like(body, born=draw.other_day(body.born))


def _born_other_year(draw: Draw, body: Body) -> Body:
    return draw.like(body, born=draw.other_year(body.born))


def _child(draw: Draw, body: Body) -> Body:
    return draw.like(body, born=body.born.replace(year=body.born.year + draw.rng.randrange(18, 41)))


def _a_century_later(draw: Draw, body: Body) -> Body:
    return draw.like(body, born=body.born.replace(year=body.born.year + 100))


def _nobody(draw: Draw) -> Made:
    """A number that nobody has."""
    body = draw.body()
    return written(body), (entry(draw.body(), "r1"),), None


def _no_number(change: Callable[[Draw, Body], Body], cut: int | None = None) -> Kind:
    """The list has no number, the register only a namesake."""

    def make(draw: Draw) -> Made:
        body = draw.body()
        said = written(body, personal_number="")
        return {**said, "birth_date": said["birth_date"][:cut]}, (entry(change(draw, body), "r1"),), None

    return make


def _no_number_two_namesakes(draw: Draw) -> Made:
    body = draw.body()
    one, other = draw.like(body), draw.like(body)
    return written(body, personal_number=""), (entry(one, "r1"), entry(other, "r2")), None


def _old_number_of_another(draw: Draw) -> Made:
    body = draw.body()
    owner = draw.body(lambda b: b.name.given != body.name.given)
    return written(body, personal_number="", old_number=owner.old), (entry(owner, "r1"),), None


def _old_number_differs(draw: Draw) -> Made:
    """Same name and day, another old number: the namesake is not the person."""
    body = draw.body()
    return written(body, personal_number="", old_number=body.old), (entry(draw.like(body), "r1"),), None


def _changed_to_a_stranger(draw: Draw) -> Made:
    """The register's note of the new number leads to somebody else's entry."""
    body = draw.body()
    stranger = draw.body(lambda b: b.name.given != body.name.given)
    return written(body), (entry(body, "r1", replaced_by=stranger.number), entry(stranger, "r2")), None


def _undecidable_no_accents(draw: Draw) -> Made:
    """Twins Hòa and Hóa; the list writes without accents."""
    said, register, truth = _twins(TONES, _given)(draw)
    return {**said, "full_name": without_accents(said["full_name"])}, register, truth


def _undecidable_middle(draw: Draw) -> Made:
    """Twins Nguyễn Hòa and Nguyễn Văn Hòa."""
    body = draw.body(lambda b: b.name.middle != "")
    return _number_of(body, replace(draw.like(body), name=replace(body.name, middle="")))


def _same(draw: Draw, body: Body) -> Body:
    return draw.like(body)


OTHER: Mapping[str, Kind] = {
    "other_twin_tone": _twins(TONES, _given),
    "other_twin_letter": _twins(LETTERS, _given),
    "other_twin_bare": _twins(BARE, _given),
    "other_twin_d": _twins(D_SIGN, _given),
    "other_twin_i_and_y": _twins(I_AND_Y, _given),
    "other_twin_middle": _twins(MIDDLES, _middle),
    "other_family": _twins(FAMILIES, _family),
    "other_twin_swapped": _swapped,
    "other_brother_and_sister": _brother_and_sister,
    "other_stranger": _stranger,
    "other_dead_stranger": _stranger_who("dead"),
    "other_moved_stranger": _stranger_who("moved"),
    "other_namesake_day": _namesake(_born_other_day),
    "other_namesake_month": _namesake(_born_other_day, 7),
    "other_namesake_year": _namesake(_born_other_year),
    "other_namesake_year_only": _namesake(_born_other_year, 4),
    "other_child": _namesake(_child),
    "other_century": _namesake(_a_century_later, 4),
    "other_nobody": _nobody,
    "other_no_number_day": _no_number(_born_other_day),
    "other_no_number_year_only": _no_number(_born_other_day, 4),
    "other_no_number_two": _no_number_two_namesakes,
    "other_old_number_of_another": _old_number_of_another,
    "other_old_number_differs": _old_number_differs,
    "other_changed_to_a_stranger": _changed_to_a_stranger,
    "undecidable_no_accents": _undecidable_no_accents,
    "undecidable_middle": _undecidable_middle,
    "undecidable_namesake_of_the_day": _no_number(_same),
}
