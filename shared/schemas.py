"""`python -m shared.schemas`: writes docs/events/*.json, the contracts as JSON Schema (2020-12) for readers in any language.

One file per CloudEvents type, plus what stands inside signed and encrypted texts: `manifest` and `cancel` (the JWS about a batch),
`provider_line` (the JWE of a payment line), `personal_data` (the JWE of a ministry). An incompatible change is refused, not written.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from shared.cancels import CancelRequest
from shared.events import BY_TYPE, Manifest
from shared.personal import PersonalData, ProviderLine
from shared.schema_changes import compatible

FOLDER = Path(__file__).parents[1] / "docs" / "events"
INSIDE: dict[str, type[BaseModel]] = {
    "manifest": Manifest, "cancel": CancelRequest, "provider_line": ProviderLine, "personal_data": PersonalData,
}  # fmt: skip
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def exported() -> dict[str, dict[str, Any]]:
    """File name without `.json` -> schema, of every message and everything that travels inside one."""
    models: dict[str, type[BaseModel]] = {**BY_TYPE, **INSIDE}
    return {name: {"$schema": _DIALECT, "$id": name, **model.model_json_schema()} for name, model in sorted(models.items())}


def published(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """The same as it stands in the folder now."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}


def incompatibilities(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Every incompatible change between two sets of schemas, with the name of the schema in front. A schema never disappears."""
    found = [f"{name}: schema removed" for name in old if name not in new]
    for name in old.keys() & new.keys():
        found += [f"{name}: {problem}" for problem in compatible(old[name], new[name])]
    return sorted(found)


def text_of(schema: Mapping[str, Any]) -> str:
    """A schema as the file holds it."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write what changed; 1 and nothing written when a change is incompatible."""
    new = exported()
    problems = incompatibilities(published(), new)
    if problems:
        sys.stderr.write("Not compatible with docs/events, so it needs a new version of the type:\n" + "\n".join(problems) + "\n")
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, schema in new.items():
        (FOLDER / f"{name}.json").write_text(text_of(schema), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
