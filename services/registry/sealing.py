"""A person and their sealed blocks: opened when loaded, sealed again only where the content changed. Uses the vault, nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from services.registry.cells import folded
from services.registry.keying import Keys
from services.registry.matching import FULL
from services.registry.person import Aside, Person, Place
from services.registry.statements import Act, Statement
from shared.events import BeneficiarySnapshot, Version
from shared.fields import Block, json_of
from shared.names import plain_key
from shared.personal import Circumstances, Collector, Contact, Delivery, Identity, Payee
from shared.vault import Kind, Vault


class Blocks(NamedTuple):
    """The sealed blocks of one person and the digests that travel beside them. `kept_on`: the day as of which a stored person was told."""

    identity: str
    payee: str
    identity_digest: str
    delivery: str | None = None
    collector: str | None = None
    contact: str | None = None
    account_digest: str | None = None
    delivery_digest: str | None = None
    circumstances: str | None = None
    aside: str | None = None
    kept_on: date | None = None


KEYS_KEPT = 10_000  # more than one batch names
NO_BLOCKS = Blocks("", "", "")
NOBODY = Identity(full_name="-")
_NOBODY = Person(UUID(int=0), (1, 0), "", "", NOBODY)


class Sealer:
    """Seals and opens what registry holds. `month` is the business month of what is sealed now."""

    def __init__(self, vault: Vault) -> None:
        """The vault must hold identity, payee, delivery and contact."""
        self._vault = vault
        self._keys: dict[tuple[str | None, ...], Keys] = {}

    def keys_of(self, identity: Identity, place: Place) -> Keys:
        """Blind indexes; equal wherever the rules of `matching` may call names, dates and places equal."""
        birth = identity.birth_date
        parts = (identity.personal_number, identity.old_number, identity.full_name, birth, place.area, place.hamlet)
        found = self._keys.get(parts)
        if found is None:
            if len(self._keys) > KEYS_KEPT:
                self._keys.clear()
            name = plain_key(identity.full_name)
            found = Keys(
                self._index("number", identity.personal_number),
                self._index("old_number", identity.old_number),
                self._index("name_birth", f"{name}|{birth}" if birth and len(birth) == FULL else None),
                self._index(
                    "name_place", f"{name}|{birth[:4]}|{place.area}|{folded(place.hamlet)}" if birth and place.hamlet else None
                ),
                self._index("name_area", f"{name}|{birth[:4]}|{place.area}" if birth and place.area else None),
            )
            self._keys[parts] = found
        return found

    def sought(self, identity: Identity, place: Place) -> list[Keys]:
        """Under what people are found whom an identity may mean; also whoever was kept under the letters of a name as they are written."""
        keys, birth, name = self.keys_of(identity, place), identity.birth_date, folded(identity.full_name)
        if birth is None or name == plain_key(identity.full_name):
            return [keys]
        by_place = f"{name}|{birth[:4]}|{place.area}|{folded(place.hamlet)}" if place.hamlet else None
        by_birth = f"{name}|{birth}" if len(birth) == FULL else None
        return [keys, Keys(name_birth=self._index("name_birth", by_birth), name_place=self._index("name_place", by_place))]

    def block_keys(self, texts: Iterable[str]) -> set[bytes]:
        """Blind indexes under which people meet who may be one (`scoring.blocks`)."""
        return {self._vault.index("block", text) for text in texts}

    def digest_of(self, act: Act) -> str:
        """Equal content gives an equal digest: how a repeated statement is known."""
        return self._vault.digest("statement", _canonical(act))

    def seal_statement(self, statement: Statement, record: str, month: str) -> str:
        """A statement that has to wait under the name of a record."""
        return self._vault.seal(Kind.IDENTITY, _waiter(statement.source, record), month, _canonical(statement))

    def open_statement(self, sealed: str, source: str, record: str) -> Statement:
        """A statement that waited. Raises VaultError."""
        return self._vault.open_as(sealed, _waiter(source, record), Statement)

    def seal(self, after: Person, *, before: Person | None, blocks: Blocks | None, today: date) -> Blocks:
        """The blocks of a changed person; what is equal stays byte for byte as it was."""
        owner, month = str(after.beneficiary_id), f"{today:%Y-%m}"
        # A new person has no block: there is nothing to compare with, so nothing is made for it.
        then, had = before or _NOBODY, blocks or NO_BLOCKS

        def block(kind: Kind, now: Block, *, was: Block | None, sealed: str | None) -> str:
            return sealed if sealed and now == was else self._vault.seal(kind, owner, month, now)

        identity, identity_digest = had.identity, had.identity_digest
        if not identity or after.identity != then.identity:
            plain = _canonical(after.identity)
            identity, identity_digest = (
                self._vault.seal(Kind.IDENTITY, owner, month, plain),
                self._vault.digest("identity", plain),
            )
        account_digest = had.account_digest
        if after.account is None or after.account != then.account:
            account_digest = self._vault.digest("account", _canonical(after.account)) if after.account else None
        delivery, contact = after.delivery_on(today), _contact(after)
        place = _canonical(delivery) if delivery else b""
        return Blocks(
            identity=identity,
            payee=block(Kind.PAYEE, after.payee, was=then.payee if had.payee else None, sealed=had.payee),
            # What was sealed last may show a collector whose days are over since: delivery is compared with nothing.
            delivery=self._vault.seal(Kind.DELIVERY, owner, month, place) if delivery else None,
            collector=block(Kind.DELIVERY, after.collector, was=then.collector, sealed=had.collector)
            if after.collector
            else None,
            contact=block(Kind.CONTACT, contact, was=_contact(then), sealed=had.contact) if contact else None,
            identity_digest=identity_digest,
            account_digest=account_digest,
            delivery_digest=self._vault.digest("delivery", place + after.area.encode()) if delivery else None,
            # Of the kind that payout may open: it travels on frozen lines as it stands here.
            circumstances=block(Kind.PAYEE, after.circumstances, was=then.circumstances, sealed=had.circumstances)
            if after.circumstances
            else None,
            aside=block(Kind.PAYEE, after.aside, was=then.aside, sealed=had.aside) if after.aside else None,
        )

    def nobody(self, owner: str, month: str) -> dict[str, str]:
        """What a snapshot of an erased person carries where blocks must stand: nobody's identity, the same digest for everybody."""
        identity, payee = _canonical(NOBODY), _canonical(Payee(full_name=NOBODY.full_name))
        return {
            "identity": self._vault.seal(Kind.IDENTITY, owner, month, identity),
            "payee": self._vault.seal(Kind.PAYEE, owner, month, payee),
            "identity_digest": self._vault.digest("identity", identity),
        }

    def open_identity(self, owner: str, sealed: str) -> Identity:
        """Raises VaultError."""
        return self._vault.open_as(sealed, owner, Identity)

    def open_payee(self, owner: str, sealed: str) -> Payee:
        """Raises VaultError."""
        return self._vault.open_as(sealed, owner, Payee)

    def open_delivery(self, owner: str, sealed: str | None) -> Delivery:
        """The place alone: the collector has its own block and its own days. Raises VaultError."""
        if sealed is None:
            return Delivery()
        return self._vault.open_as(sealed, owner, Delivery).model_copy(update={"collector": None})

    def open_collector(self, owner: str, sealed: str | None) -> Collector | None:
        """Raises VaultError."""
        return self._vault.open_as(sealed, owner, Collector) if sealed else None

    def open_phone(self, owner: str, sealed: str | None) -> str | None:
        """Raises VaultError."""
        return self._vault.open_as(sealed, owner, Contact).phone if sealed else None

    def open_circumstances(self, owner: str, sealed: str | None) -> Circumstances | None:
        """Raises VaultError."""
        return self._vault.open_as(sealed, owner, Circumstances) if sealed else None

    def open_aside(self, owner: str, sealed: str | None) -> Aside | None:
        """Raises VaultError."""
        return self._vault.open_as(sealed, owner, Aside) if sealed else None

    def _index(self, field: str, text: str | None) -> bytes | None:
        return self._vault.index(field, text) if text else None


@lru_cache(maxsize=1_000)
def _version(epoch: int, n: int) -> Version:
    """Whoever is new has the same one."""
    return Version(epoch=epoch, n=n)


def snapshot_of(person: Person, blocks: Blocks, today: date) -> BeneficiarySnapshot:
    """What readers learn of a person."""
    return BeneficiarySnapshot(
        beneficiary_id=person.beneficiary_id,
        version=_version(*person.version),
        payer=person.payer,
        area=person.area,
        life=person.life,
        died_on=person.died_on,
        moved_out_on=person.moved_out_on,
        wish=person.wish,
        account_source=person.account_source,
        home_delivery=person.home_delivery,
        cannot=person.cannot_on(today),
        identity=blocks.identity,
        payee=blocks.payee,
        delivery=blocks.delivery,
        contact=blocks.contact,
        identity_digest=blocks.identity_digest,
        account_digest=blocks.account_digest,
        delivery_digest=blocks.delivery_digest,
        merged_into=person.merged_into,
    )


def _canonical(content: Block) -> bytes:
    return json_of(content)


def _contact(person: Person) -> Contact | None:
    return Contact(phone=person.phone) if person.phone else None


def _waiter(source: str, record: str) -> str:
    return f"waiting:{source}:{record}"
