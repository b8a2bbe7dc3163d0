"""Synthetic people of a payroll as registry and verification would publish them: most on an account, some with two benefits, a few held."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid4

from shared.events import BeneficiarySnapshot, DeclaredLine, EntitlementLine, VerificationResult, Version
from shared.personal import Account, Delivery, Payee
from shared.vault import Kind, Vault
from shared.words import AccountCheck, Life, Outcome, Programme, Wish

PERIOD = "2024-02"
AREAS = 20
TWO_BENEFITS_EVERY, HELD_EVERY = 20, 50
_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Võ", "Đặng", "Bùi", "Đỗ")
_MIDDLE = ("Thị", "Văn", "Đức", "Xuân", "Ngọc", "Hữu")
_GIVEN = ("Hòa", "Lý", "Quỳnh", "Ánh", "Thủy", "Bảo", "Sáu", "Ổn", "Vân", "Ứng", "Yến", "Đạt")
_BINS = ("970405", "970415", "970418", "970436", "970449")
VERSION = Version(epoch=1, n=1)
MONTHLY = DeclaredLine(
    programme=Programme.SOCIAL_ASSISTANCE, benefit_code="BT-5c", coefficient_hundredths=100, monthly_vnd=360_000
)
MERIT = DeclaredLine(programme=Programme.MERIT, benefit_code="NCC-LS1", monthly_vnd=2_055_000)


class People:
    """Makes people in chunks, so that nobody is held in memory."""

    def __init__(self, registry: Vault, at: datetime) -> None:
        """The vault seals as registry does; results are of one moment."""
        self._vault = registry
        self._at = at

    def some(
        self, payer: str, numbers: Iterable[int], *, account: bool
    ) -> tuple[list[BeneficiarySnapshot], list[VerificationResult], list[EntitlementLine]]:
        """The people of these numbers with their verdicts and frozen lines."""
        snapshots = [self._snapshot(payer, number, account=account) for number in numbers]
        results = [self._result(number, snapshot) for number, snapshot in zip(numbers, snapshots, strict=True)]
        lines = [
            self._frozen(snapshot, line)
            for number, snapshot in zip(numbers, snapshots, strict=True)
            for line in ((MONTHLY, MERIT) if number % TWO_BENEFITS_EVERY == 0 else (MONTHLY,))
        ]
        return snapshots, results, lines

    def _snapshot(self, payer: str, number: int, *, account: bool) -> BeneficiarySnapshot:
        who = uuid4()
        name = f"{_FAMILY[number % 10]} {_MIDDLE[number % 6]} {_GIVEN[number % 12]}"
        own = Account(bank_bin=_BINS[number % 5], number=f"37{number:011d}", holder="NGUYEN THI HOA") if account else None
        return BeneficiarySnapshot(
            beneficiary_id=who,
            version=VERSION,
            payer=payer,
            area=f"{18_400 + number % AREAS:05d}",
            life=Life.ALIVE,
            wish=Wish.ACCOUNT if own else Wish.NONE,
            identity=self._seal(Kind.IDENTITY, who, b"{}"),
            payee=self._seal(Kind.PAYEE, who, Payee(full_name=name, account=own)),
            delivery=self._seal(Kind.DELIVERY, who, Delivery(hamlet=f"Xóm {number % 9 + 1}", address=f"Số {number % 300 + 1}")),
            identity_digest=self._vault.digest("identity", who.bytes),
            account_digest=self._vault.digest("account", own.number.encode()) if own else None,
        )

    def _seal(self, kind: Kind, who: UUID, block: bytes | Payee | Delivery) -> str:
        return self._vault.seal(kind, str(who), PERIOD, block)

    def _result(self, number: int, snapshot: BeneficiarySnapshot) -> VerificationResult:
        return VerificationResult(
            beneficiary_id=snapshot.beneficiary_id,
            result_seq=1,
            identity_digest=snapshot.identity_digest,
            account_digest=snapshot.account_digest,
            outcome=Outcome.NOT_FOUND if number % HELD_EVERY == 7 else Outcome.MATCH,
            account=AccountCheck.USABLE if snapshot.account_digest else None,
            checked_at=self._at,
        )

    def _frozen(self, snapshot: BeneficiarySnapshot, line: DeclaredLine) -> EntitlementLine:
        return EntitlementLine(
            entitlement_id=uuid4(),
            beneficiary_id=snapshot.beneficiary_id,
            period=PERIOD,
            payer=snapshot.payer,
            area=snapshot.area,
            snapshot_version=VERSION,
            declared_vnd=line.declared_vnd,
            line=line,
        )
