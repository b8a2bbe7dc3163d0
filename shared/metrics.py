"""Every metric: name, kind, unit and meaning in one table. docs/METRICS.md lists the same names; a test compares."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

RECORDS = Counter("ansinh_records_total", "Records taken from a topic", ["topic"])
DEAD_LETTERS = Counter(
    "ansinh_dead_letters_total", "Records set aside, by disposition and reason", ["topic", "disposition", "reason"]
)
REDRIVEN = Counter("ansinh_redriven_total", "Set-aside records handled again, by what came of it", ["topic", "outcome"])
FENCED = Counter("ansinh_fenced_total", "Batches a stale owner was kept from taking", ["topic"])
RETRIES = Counter("ansinh_retries_total", "Batches tried again because the world was away", ["topic", "code"])
STOPPED = Gauge("ansinh_partition_stopped", "1 while a partition waits for a person", ["topic", "partition"])
NEXT_OFFSET = Gauge("ansinh_next_offset", "Next offset the database expects", ["topic", "partition"])
BATCH_SECONDS = Histogram("ansinh_batch_seconds", "Seconds from handler start to commit, per batch", ["topic"])
OUTBOX_UNPUBLISHED = Gauge("ansinh_outbox_unpublished", "Outbox rows behind the relay's cursor still to publish")
OUTBOX_PUBLISHED = Counter("ansinh_outbox_published_total", "Outbox rows acknowledged by the broker", ["topic"])
OUTBOX_BEHIND_SECONDS = Gauge("ansinh_outbox_behind_seconds", "Seconds since the relay last had nothing left to publish")
RELAY_REFUSED = Gauge("ansinh_relay_refused", "1 while the broker refuses a message for good and the relay waits for a person")
PUBLISHING_LOCKED = Gauge(
    "ansinh_publishing_locked", "1 while a restored database may publish nothing until two people have signed"
)
CONFLICTS = Counter("ansinh_conflicts_total", "Same key with other content: somebody must look", ["kind"])
DELIVERY_CONFLICTS = Gauge(
    "ansinh_delivery_conflicts", "Files with other content than was sealed, on a provider's server or our disk", ["provider"]
)
PRINTS_FAILING = Gauge(
    "ansinh_prints_failing", "Lists of the post whose print has failed so far: their folder is not delivered before it"
)

INVARIANTS = CollectorRegistry()
"""Served by `ansinh check --every`, not by the services."""
INVARIANT_FINDINGS = Gauge("ansinh_invariant_findings", "What breaks an invariant now", ["invariant"], registry=INVARIANTS)
INVARIANT_SECONDS = Gauge("ansinh_invariant_seconds", "Seconds its queries took", ["invariant"], registry=INVARIANTS)
INVARIANT_CHECKED = Gauge(
    "ansinh_invariant_checked_timestamp_seconds", "When all invariants were last asked", registry=INVARIANTS
)
