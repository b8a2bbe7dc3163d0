"""docs/METRICS.md lists exactly the metrics that the services export."""

import re

from house_tree import ROOT
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from shared import metrics


def exported() -> set[str]:
    """Names as they stand on the /metrics page."""
    found = (value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase))
    return {metric._name + ("_total" if isinstance(metric, Counter) else "") for metric in found}


def listed(text: str) -> set[str]:
    """Names in the first column of the table."""
    return set(re.findall(r"^\| `(ansinh_[a-z_]+)` \|", text, re.M))


def test_every_metric_is_documented_and_every_documented_one_exists():
    assert listed((ROOT / "docs" / "METRICS.md").read_text()) == exported() != set()


def test_a_missing_row_is_seen():
    assert listed("| `ansinh_records_total` | counter |\n") != exported()
