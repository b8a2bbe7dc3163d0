"""What an operator does next with a payroll, in words and as a command: told after every step, and after every refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansinh import life, pipeline
from ansinh.client import Client, Refusal
from ansinh.result_ages import old_results
from shared.money import Dong, in_words_of_figures

SIGNED = (("draft", "check", "checker"), ("checked", "approve", "approver"))


async def next_steps(client: Client, period: str, payer: str) -> list[str]:
    """What may be done now, most urgent first. Asks the running service."""
    about = await life.show(client, period, payer)
    try:
        page = await pipeline.status(client, period, payer)
    except Refusal:
        page = None
    old = await old_results(client, payer) if page is None else []
    return old + [f"Next: {words}" for words in advice(page, about, f"{period} {payer}")]


def advice(page: Mapping[str, Any] | None, about: Mapping[str, Any], whose: str) -> list[str]:
    """`page`: the payroll as it stands, None before its list closed; `about`: its life; `whose`: period and payer. Pure."""
    return list(_advice(page, about, whose))


def _advice(page: Mapping[str, Any] | None, about: Mapping[str, Any], whose: str) -> Iterator[str]:
    period, payer = whose.split(" ", 1)
    if about["paid_with"]:
        yield f"this month is paid with {about['paid_with']}: ansinh payroll status {about['paid_with']} {payer}"
        return
    if about["finished"]:
        yield f"nothing moves any more; the report: ansinh payroll settlement {whose} --xlsx settlement.xlsx"
        return
    if about["opened"] is None:
        yield f"open the month, then budgets may be set: ansinh payroll open {period}"
    if about["budget_waits"]:
        yield f"a second person signs the budget that waits: ansinh payroll confirm {whose}"
    if page is None:
        yield f"freeze the list: ansinh payroll close {whose}"
        return
    yield from _over_budget(about, whose)
    waiting = list(_waiting(page, about, whose))
    yield from waiting or _afterwards(page, whose)


def _over_budget(about: Mapping[str, Any], whose: str) -> Iterator[str]:
    for row in about["budgets"]:
        over = row["used_vnd"] + row["waiting_vnd"] - (row["budget_vnd"] or 0)
        of_month = [other for other in about["budgets"] if other["period"] == row["period"]]
        if row["waiting_vnd"] and over > 0 and any(other["budget_vnd"] is not None for other in of_month):
            yield (
                f"{row['programme']} is {in_words_of_figures(Dong(over))} VND above its budget; set a higher one for all programmes:"
                f" ansinh payroll budget {row['period']} {whose.split(' ', 1)[1]}"
                f" --programme {row['programme']}={row['used_vnd'] + row['waiting_vnd']}"
            )


def _waiting(page: Mapping[str, Any], about: Mapping[str, Any], whose: str) -> Iterator[str]:
    """Lists that wait for a person."""
    states = [batch["state"] for batch in page["batches"]]
    for state, step, role in SIGNED:
        if state in states:
            yield f"{states.count(state)} lists wait for the {role}: ansinh payroll {step} {whose}"
            return
    if any(withdrawal["confirmed_by"] is None for withdrawal in page["withdrawals"]):
        yield "a withdrawal waits for its second signature: POST confirm-withdrawal, by the approver"
    if about["to_endorse"]:
        yield f"the sum is above the tier, the province signs: ansinh payroll endorse {whose}"
    elif "approved" in states:
        for freeze in about["freezes"]:
            yield f"a freeze is set from {freeze['starts_at']} to {freeze['ends_at']} ({freeze['reason']}); in it only --emergency REASON"
        yield f"{states.count('approved')} lists wait for the releaser: ansinh payroll release {whose}"


def _afterwards(page: Mapping[str, Any], whose: str) -> Iterator[str]:
    """No list waits for a person: something is still to be built, answered, or all is over."""
    if not page["batches"] and not page["lines"]["held"]["count"]:
        yield f"see what would be made: ansinh payroll preview {whose}; then build it (maker): ansinh payroll build {whose}"
        return
    if page["unknown"]["count"]:
        yield (
            f"{page['unknown']['count']} payments have no answer: take the provider's statement,"
            " ansinh statements take FILE --provider NAME"
        )
    sent = [batch["provider"] for batch in page["batches"] if batch["state"] == "sent"]
    if sent:
        yield f"{len(sent)} lists wait for answers of {', '.join(sorted(set(sent)))}; when they are done: ansinh payroll settle {whose}"
    if waiting := page.get("held", {}).get("NEXT_BUILD"):
        yield f"{waiting['count']} lines are still owed of payments that fell out: ansinh payroll build {whose}"
    if page["lines"]["undecided_vnd"]:
        yield (
            f"{in_words_of_figures(Dong(page['lines']['undecided_vnd']))} VND came back: pay them by the post,"
            f" ansinh payroll build {whose}" + ("" if sent else ", or carry them into the next month by finishing")
        )
    if not sent and not waiting:
        yield f"every list has settled: ansinh payroll finish {whose}"
