"""Key files of a local installation: one per service and partner, mode 0600, each holding only what its owner may hold.

Production brings its own files in the same shape from a key service; `settings` refuses the sandbox marker there.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey

from shared.topics import Provider
from shared.vault import HOLDERS, Kind

ISSUER = "actor-issuer"


def make_key_files(folder: Path) -> None:
    """Make all sandbox key files in a folder. Existing files are kept, so a restart opens what was sealed before."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (folder / "public.json").exists():
        return
    roots: dict[Kind, str] = {kind: _random() for kind in Kind if kind is not Kind.DEADLETTER}
    pairs = {name: ECKey.generate_key("P-256") for name in (*HOLDERS, *map(str, Provider), ISSUER)}
    public = {name: pair.as_dict(private=False) for name, pair in pairs.items()}
    for name, kinds in HOLDERS.items():
        own = {kind: roots.get(kind) or _random() for kind in kinds}
        keys: dict[str, Any] = {"sandbox": True, "roots": own, "secret": _random(), "private": pairs[name].as_dict(private=True)}
        keys["issuer"] = public[ISSUER]
        if name == "payout":
            keys["providers"] = {str(p): public[str(p)] for p in Provider}
        _write(folder / f"{name}.json", keys)
    for name in (*map(str, Provider), ISSUER):
        _write(folder / f"{name}.json", pairs[name].as_dict(private=True))
    for name, key in public.items():
        _write(folder / f"{name}.public.json", key)
    _write(folder / "public.json", public)


def _random() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()


def _write(path: Path, value: object) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(value, file)
