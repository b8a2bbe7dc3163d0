"""Write the expected results anew; read every difference before it is kept."""

import json
import tempfile
from pathlib import Path

from tests.ugly_lists.results import EXPECTED, result
from tests.ugly_lists.ugly import LISTS

EXPECTED.mkdir(exist_ok=True)
for name, ugly in LISTS.items():
    with tempfile.TemporaryDirectory() as folder:
        told = result(ugly, Path(folder) / "list")
    (EXPECTED / f"{name}.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
