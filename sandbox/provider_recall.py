"""How a sandbox provider takes the wish to cancel lines: it can while nothing was paid, and not always answers as one would wish.

SYNTHETIC. What it did and said is on record before it is said, so a restart says and does the same again.
"""

from collections.abc import Mapping

from sandbox.provider_answers import Answer, Owed, Voice
from sandbox.provider_desk import Recall
from sandbox.provider_mix import Fate, Mix, cancel_roll
from sandbox.truth import Status, TruthFile

CANCELLED, TOO_LATE, UNKNOWN_ID, SILENT = "cancelled", "too_late", "unknown_id", "silent"


def recalled(recall: Recall, owed: Owed | None, truth: TruthFile, *, voice: Voice, mix: Mix) -> list[Answer]:
    """Take the lines out of what is still to come of their batch, as far as they can be, and say what became of each."""
    outcomes = {one: _outcome(recall, one, owed, truth=truth, mix=mix) for one in recall.end_to_end_ids}
    new = {one: outcome for one, outcome in outcomes.items() if (recall.cancel_id, one) not in truth.cancels}
    if owed is not None:
        gone = [
            one for one, outcome in new.items() if outcome == CANCELLED and not truth.known(one) and not _contradicts(one, mix)
        ]
        truth.add_lines(voice.without(owed, gone, mix) if gone else ())
    truth.mark_cancels(recall.cancel_id, new, recall.at)
    return [voice.cancel(recall, one, outcome) for one, outcome in outcomes.items() if outcome != SILENT]


def _outcome(recall: Recall, one: str, owed: Owed | None, *, truth: TruthFile, mix: Mix) -> str:
    said = truth.cancels.get((recall.cancel_id, one))
    if said is not None:
        return said
    known = truth.known(one)
    if Status.PAID in known:
        return TOO_LATE
    if known:  # rejected, given back uncollected, or cancelled already: nothing left and nothing will
        return CANCELLED
    if owed is None or one not in _still_to_come(owed):
        return UNKNOWN_ID
    return SILENT if cancel_roll(one, mix) < mix.cancel_silent_per_10000 else CANCELLED


def _still_to_come(owed: Owed) -> Mapping[str, Fate]:
    return {decision.line.end_to_end_id: decision.fate for decision in owed.decisions}


def _contradicts(one: str, mix: Mix) -> bool:
    """Called cancelled, and paid all the same."""
    roll = cancel_roll(one, mix) - mix.cancel_silent_per_10000
    return 0 <= roll < mix.cancel_contradicts_per_10000
