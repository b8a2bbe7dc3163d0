"""How often a process looks for cycles of objects."""

from __future__ import annotations

import gc


def collect_less_often() -> None:
    """A batch makes thousands of objects and hardly a cycle: by default a third of the CPU time would go into looking for cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
