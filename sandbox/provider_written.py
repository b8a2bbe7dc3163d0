"""A sandbox provider's files on disk, made from its truth file: the same truth as its answers, whichever way the customer hears it."""

from collections import defaultdict
from datetime import datetime
from pathlib import Path

from sandbox.provider_files import Account, camt053, camt054, movements, mt940, pain002, post_list, refused
from sandbox.truth import LineFact, Status, line_facts, refused_batches

POST = "post"


def write_files(provider: str, truth: Path, folder: Path, *, account: Account) -> list[Path]:
    """Every file of a provider about all that happened so far; the same truth gives the same files. Returns their paths.

    A later file tells earlier bookings again under their old names, as overlapping statements do.
    """
    facts = [fact for fact in line_facts(truth) if fact.status is not Status.CANCELLED]  # no money moved: no file says it
    contents = _of_post(facts) if provider == POST else _of_bank(facts, account)
    contents |= {
        f"pain.002-{batch}.xml": refused(batch, reason, message_id=f"R{batch[:8]}", made_at=at)
        for batch, (reason, at) in refused_batches(truth).items()
        if provider != POST
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


def _of_bank(facts: list[LineFact], account: Account) -> dict[str, bytes]:
    """One statement in each format, and a status report per batch."""
    if not facts:
        return {}
    booked, number, at = movements(facts), len(facts), _last(facts)
    name = f"{account.bank_bin}-{number}"
    made = {
        "camt.053.001.08.xml": camt053(booked, account, message_id=f"S{name}", made_at=at),
        "camt.053.001.02.xml": camt053(booked, account, message_id=f"O{name}", made_at=at, version="02"),
        "camt.054.001.08.xml": camt054(booked, account, message_id=f"N{name}", made_at=at),
        "statement.mt940": mt940(booked, account, reference=f"M{name}", number=number, made_at=at),
    }
    batches: dict[str, list[LineFact]] = defaultdict(list)
    for fact in facts:
        batches[fact.batch_id].append(fact)
    return made | {
        f"pain.002-{batch}.xml": pain002(told, message_id=f"P{batch[:8]}-{len(told)}", made_at=_last(told))
        for batch, told in batches.items()
    }


def _of_post(facts: list[LineFact]) -> dict[str, bytes]:
    return {"danh-sach-ket-qua.xlsx": post_list(facts, period="")} if facts else {}


def _last(facts: list[LineFact]) -> datetime:
    return max(fact.at for fact in facts)
