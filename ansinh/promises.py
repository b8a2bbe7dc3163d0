"""The table of promises: what each is called, and which queries of checks.sql find what breaks it. docs/INVARIANTS.md says more."""

from __future__ import annotations

from dataclasses import dataclass

from shared.topics import Service

Query = tuple[Service, str]
"""A query and the service whose database is asked."""
Side = tuple[Query, str, str]
"""A query that answers by bucket or by id, and its columns: a hash, and in words what was hashed."""
Mirror = tuple[Side, Side]
"""Two sides that must hold the same rows: who writes, who reads."""

_R, _V, _P, _N = Service.REGISTRY, Service.VERIFICATION, Service.PAYOUT, Service.NOTIFY


@dataclass(frozen=True, slots=True)
class Promise:
    """`queries` return findings. `mirrors` are compared row by row. `on_its_way`: between two databases, or between a decision and its
    publication, a finding may be an event still travelling, so it counts only when it is still there a moment later. `whole`: too much
    to read for every hour; only `--full` asks."""

    id: str
    title: str
    queries: tuple[Query, ...] = ()
    mirrors: tuple[Mirror, ...] = ()
    on_its_way: bool = False
    whole: tuple[Query, ...] = ()


def _payout(*names: str) -> tuple[Query, ...]:
    return tuple((_P, name) for name in names)


def _side(service: Service, name: str, *, column: str = "hash", said: str = "said") -> Side:
    return (service, name), column, said


def _all(name: str) -> tuple[Query, ...]:
    return tuple((service, name) for service in Service)


TOTALS: tuple[Query, ...] = ((_R, "registry_closings"), (_R, "registry_lines"), (_P, "payout_closings"))
PLACES: tuple[Query, ...] = _payout("line_places", "lines_out_of_place")
CLOSED, PLACED = "I02", "I03"
"""The two promises whose findings `ansinh/check.py` works out from TOTALS and PLACES."""

PROMISES = (
    Promise("I01", "A line is in at most one live payment", _payout("lines_paid_twice")),
    Promise(
        CLOSED,
        "What registry closed is what payout holds, line by line",
        TOTALS,
        ((_side(_R, "lines_of_registry"), _side(_P, "lines_of_payout")),),
        on_its_way=True,
    ),
    Promise(PLACED, "Every line is cashless, postal or held: exactly one", PLACES),
    Promise(
        "I04",
        "Lists, payments and files add up",
        _payout("payments_that_do_not_add_up", "files_that_do_not_add_up"),
    ),
    Promise(
        "I05",
        "The ledger balances and agrees with the payments",
        _payout("postings_that_do_not_add_up"),
    ),
    Promise("I06", "An end-to-end id names one payment", _payout("ids_used_twice")),
    Promise("I07", "Nothing left without the signatures of different people on its hash", _payout("released_without_signatures")),
    Promise("I08", "What was withdrawn was never sent, what was not withdrawn was", _payout("payments_that_do_not_add_up")),
    Promise("I09", "Every decision was published", _all("unpublished_rows"), on_its_way=True),
    Promise("I10", "No partition is stopped", _all("stopped_partitions")),
    Promise("I11", "No record was set aside", _all("set_aside_records")),
    Promise(
        "I12",
        "Payments move only along the table, and every state was told",
        _payout("payments_that_do_not_add_up"),
        whole=_payout("illegal_moves", "states_not_told"),
    ),
    Promise("I13", "Everybody with a frozen line has a verdict", _payout("lines_without_verdict"), on_its_way=True),
    Promise(
        "I14",
        "Everybody known to verification is judged as they are now",
        mirrors=(
            (_side(_V, "people_of_verification", column="about", said="about_said"), _side(_V, "verdicts_of_verification")),
        ),
        on_its_way=True,
    ),
    Promise(
        "I15",
        "One text per phone and round, none to those who cannot",
        ((_N, "phones_with_two_texts"), (_N, "texts_to_those_who_cannot")),
    ),
    Promise(
        "I19",
        "What registry knows of a person reached its readers",
        mirrors=tuple(
            (_side(_R, "people_of_registry"), reader)
            for reader in (_side(_V, "people_of_verification"), _side(_P, "people_of_payout"), _side(_N, "people_of_notify"))
        ),
        on_its_way=True,
    ),
    Promise(
        "I20",
        "What verification found reached its readers",
        mirrors=tuple(
            (_side(_V, "people_of_verification", column="verdict", said="verdict_said"), reader)
            for reader in (_side(_R, "verdicts_of_registry"), _side(_P, "verdicts_of_payout"), _side(_N, "verdicts_of_notify"))
        ),
        on_its_way=True,
    ),
    Promise(
        "I21",
        "The state of every payment reached its readers",
        mirrors=(
            (_side(_P, "payments_of_payout"), _side(_R, "payments_of_registry")),
            (_side(_P, "payments_of_payout", column="account", said="account_said"), _side(_N, "account_payments_of_notify")),
        ),
        on_its_way=True,
    ),
    Promise(
        "I22",
        "What became of every text reached registry",
        mirrors=((_side(_N, "texts_of_notify"), _side(_R, "texts_of_registry")),),
        on_its_way=True,
    ),
    Promise("I23", "Every statement that registry took has its effect, or waits", ((_R, "statements_without_effect"),)),
    Promise("I24", "A closed list is what its rows and its upstream add up to", ((_R, "closed_lists_unlike_their_rows"),)),
    Promise("I25", "Every state of a payment is what its answers say", _payout("states_without_answer")),
    Promise("I26", "A line is paid again only when its last payment is proven dead", _payout("paid_again_without_proof")),
    Promise(
        "I27", "What left is the list that was signed, minus withdrawals, hash for hash", whole=_payout("lists_unlike_their_hash")
    ),
    Promise("I28", "Every line of a provider's file has its effect or its break", _payout("lines_without_effect")),
    Promise("I29", "What is unexplained stands in the ledger of breaks, and ends by two", _payout("breaks_that_do_not_add_up")),
    Promise(
        "I30",
        "A payment is cancelled only by its provider's word, asked for by two",
        _payout("payments_that_do_not_add_up", "cancels_against_their_payment"),
    ),
    Promise("I31", "What is claimed back stands in its ledger, once, and ends by two", _payout("recoveries_that_do_not_add_up")),
    Promise("I40", "The ledger is one unbroken chain per payer", _payout("postings_that_do_not_add_up")),
    Promise("I41", "Nothing left above its budget", _payout("postings_that_do_not_add_up")),
    Promise(
        "I42",
        "Large lists left with the province's signature, none in a freeze",
        _payout("sent_without_province", "sent_in_freeze"),
    ),
    Promise("I43", "In a finished payroll nothing moves", _payout("moved_after_finish")),
    Promise("I44", "The funnel holds everybody once, and no wish changed unheard", ((_R, "funnel_that_does_not_add_up"),)),
    Promise("I50", "A merged-away id leads to one person and has nothing of its own", ((_R, "merged_people_with_rows"),)),
    Promise(
        "I51",
        "Of an erased person nothing is left but money under a random id",
        (
            (_R, "erased_in_registry"),
            (_V, "erased_in_verification"),
            (_P, "erased_in_payout"),
            (_N, "erased_in_notify"),
        ),
        on_its_way=True,
        whole=((_R, "published_of_erased"), (_V, "published_of_erased")),
    ),
    Promise("I60", "A benefit of a month is paid by one payer, a gift once", _payout("benefits_paid_twice")),
    Promise("I61", "A month is paid with one payroll", _payout("months_out_of_their_payroll")),
    Promise("I62", "What a death brings is paid once, under whatever name", _payout("money_on_a_death_paid_twice")),
    Promise(
        "I63",
        "What is still owed of a payment that fell out is built before its month is finished",
        _payout("owed_and_not_built"),
    ),
    Promise("I64", "No two payers finish a month each for the other's sake", _payout("held_for_each_other")),
    Promise("I65", "What two people keep back of a cancelled payment stays back", _payout("kept_back_and_free")),
    Promise("I66", "What nobody collected is brought by one later line", _payout("unpaid_brought_twice")),
    Promise("I70", "Who waits for a commune is on no list", ((_R, "waiting_and_listed"),)),
    Promise("I71", "Who was placed has the line, or the refusal that says why not", ((_R, "placed_without_effect"),)),
    Promise("I72", "Nobody who waits for a commune is lost from sight", ((_R, "cases_out_of_sight"),)),
)
TRUTH: tuple[Query, ...] = _payout("payments", "payment_lines")
"""What is compared with the partners' truth files, for I16 to I18."""
