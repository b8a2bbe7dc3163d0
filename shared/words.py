"""Closed word lists that travel in messages. Adding a word is a compatible change only after every reader knows it."""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """How money reaches a person. Who executes it is the provider, a separate field."""

    ACCOUNT = "account"
    COUNTER = "counter"
    HOME = "home"


class Wish(StrEnum):
    """What the person asked for; `none` means never asked."""

    ACCOUNT = "account"
    POST = "post"
    NONE = "none"


class AccountSource(StrEnum):
    """Where an account came from, strongest first (domain 4.3)."""

    VNEID = "vneid"
    CONFIRMED = "confirmed"
    COMMUNE_POLICE = "commune_police"
    BULK = "bulk"


class EndReason(StrEnum):
    """Why an entitlement ended."""

    DEATH = "death"
    MOVED_OUT = "moved_out"
    NO_LONGER_ENTITLED = "no_longer_entitled"
    GIVEN_UP = "given_up"


class Programme(StrEnum):
    """The family of law a benefit belongs to; totals are kept per programme."""

    SOCIAL_ASSISTANCE = "social_assistance"
    MERIT = "merit"
    SOCIAL_PENSION = "social_pension"


class Life(StrEnum):
    """What registry last heard about a person."""

    ALIVE = "alive"
    DEAD = "dead"
    MOVED_OUT = "moved_out"


class Outcome(StrEnum):
    """What the population register says about an identity (design 7). Never a bare Boolean."""

    MATCH = "match"
    WEAK_MATCH = "weak_match"
    MISMATCH = "mismatch"
    NOT_FOUND = "not_found"
    DEAD = "dead"
    MOVED = "moved"
    NUMBER_CHANGED = "number_changed"
    DUPLICATE = "duplicate"
    UNAVAILABLE = "unavailable"


class IdentityField(StrEnum):
    """A field of an identity that evidence speaks about. `number_structure`: sex and birth year as the number itself tells them."""

    NUMBER = "number"
    NAME = "name"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    NUMBER_STRUCTURE = "number_structure"


class Finding(StrEnum):
    """What comparing one field showed, strongest first. T1 to T6 are the name tiers of domain 8."""

    EQUAL = "equal"
    T1 = "t1_equal"
    T2 = "t2_tone_placement"
    T3 = "t3_spelling_variant"
    T4 = "t4_without_accents"
    T5 = "t5_order_or_missing_middle"
    T6 = "t6_different"
    YEAR_ONLY = "year_only"
    OLD_NUMBER = "old_number"
    ABSENT = "absent"
    DIFFERENT = "different"


class AccountCheck(StrEnum):
    """What account pre-flight found (domain 4.2). Only `usable` may be paid on."""

    USABLE = "usable"
    BANK_UNKNOWN_BIN = "bank_unknown_bin"
    NUMBER_SHAPE = "number_shape"
    NAME_MISMATCH = "name_mismatch"
    CANNOT_VERIFY = "cannot_verify"
    SHARED_ACCOUNT = "shared_account"
    UNAVAILABLE = "unavailable"


class Poverty(StrEnum):
    """A household's status in a year, by decision."""

    POOR = "poor"
    NEAR_POOR = "near_poor"
    NEITHER = "neither"


class LifeEvent(StrEnum):
    """What happens to a person that suspends or ends a benefit (domain 2.2); `resumed`: they came forward after a suspension."""

    CUSTODY = "custody"
    PRISON = "prison"
    CARE_HOME = "care_home"
    GIVEN_UP = "given_up"
    MISSING = "missing"
    REFUSED_CHECK = "refused_check"
    RESUMED = "resumed"


class HeldReason(StrEnum):
    """Why a frozen line is not paid now. In order of precedence: the first that applies is the one recorded."""

    WITHDRAWN = "WITHDRAWN"
    DEAD = "DEAD"
    MOVED = "MOVED"
    DUPLICATE = "DUPLICATE"
    VERIFICATION_PENDING = "VERIFICATION_PENDING"
    UNAVAILABLE = "UNAVAILABLE"
    NOT_FOUND = "NOT_FOUND"
    IDENTITY_MISMATCH = "IDENTITY_MISMATCH"
    NOT_OWED = "NOT_OWED"
    NOT_COLLECTED = "NOT_COLLECTED"
    PAID_ELSEWHERE = "PAID_ELSEWHERE"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    NO_DELIVERY = "NO_DELIVERY"
    NEXT_BUILD = "NEXT_BUILD"


class NoAccountReason(StrEnum):
    """Why an account holder was not paid on the account, in order of precedence: the gap the product exists to close."""

    HELD = "held"
    WISHES_POST = "wishes_post"
    NOT_CHECKED = "not_checked"
    BANK_UNKNOWN_BIN = "bank_unknown_bin"
    NUMBER_SHAPE = "number_shape"
    NAME_MISMATCH = "name_mismatch"
    CANNOT_VERIFY = "cannot_verify"
    SHARED_ACCOUNT = "shared_account"
    UNAVAILABLE = "unavailable"
    BULK_UNUSED = "bulk_unused"
    WEAK_IDENTITY = "weak_identity"
    BANK_REJECTED = "bank_rejected"
    NO_ANSWER_YET = "no_answer_yet"
    RETURNED = "returned"
    BELOW_LEAST = "below_least"
    NOT_ON_A_LIST = "not_on_a_list"


class InstructionState(StrEnum):
    """States of one payment; the legal moves are `services/payout/batch.py` and the table `instruction_move`."""

    CREATED = "created"
    SEALED = "sealed"
    SENDING = "sending"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    ISSUED = "issued"
    PAID = "paid"
    COLLECTED = "collected"
    REJECTED = "rejected"
    EXPIRED = "expired"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


class ResultKind(StrEnum):
    """What a provider's answer speaks about."""

    BATCH_RECEIVED = "batch_received"
    BATCH_REFUSED = "batch_refused"
    BATCH_COMPLETE = "batch_complete"
    LINE = "line"
    CANCEL = "cancel"


class LineStatus(StrEnum):
    """What a provider says of one line. The post answers `accepted` when it is ready at the counter, `paid` when collected."""

    ACCEPTED = "accepted"
    PAID = "paid"
    REJECTED = "rejected"
    RETURNED = "returned"


class CancelOutcome(StrEnum):
    """What a provider says to the wish to cancel one line. `cancelled`: no money left and none will, ever, under this id."""

    CANCELLED = "cancelled"
    TOO_LATE = "too_late"
    UNKNOWN_ID = "unknown_id"


class Basis(StrEnum):
    """How a provider came to say so."""

    ANSWER = "answer"
    STATEMENT = "statement"
    QUERY = "query"


class MessageStatus(StrEnum):
    """States of one text, forward only. `unknown`: the gateway gave no answer."""

    CREATED = "created"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"


class Role(StrEnum):
    """What an actor may do. One person may hold several; one batch still needs three different people."""

    MAKER = "maker"
    CHECKER = "checker"
    APPROVER = "approver"
    RELEASER = "releaser"
    LIST_OFFICER = "list_officer"
    OPERATOR = "operator"
    PROVINCE_APPROVER = "province_approver"
    EMERGENCY = "emergency"
    SENDER = "sender"
    REVIEWER = "reviewer"
