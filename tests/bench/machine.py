"""What a figure was measured on: processor, memory, versions, durability. Nothing that names the machine or who uses it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from deploy.local.java import find_java
from deploy.local.postgres import SETTINGS, find_binaries

LIBRARIES = ("aiokafka", "faststream", "asyncpg", "pydantic", "uvloop", "cryptography", "joserfc", "lxml", "XlsxWriter")


def facts() -> dict[str, Any]:
    """Everything a reader needs to judge the figures."""
    return {
        "processor": _first(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text()),
        "cores": os.cpu_count(),
        "memory_gb": round(int(_first(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text()) or 0) / 2**20),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "versions": _versions(),
        "durability": {
            "PostgreSQL": {name: SETTINGS[name] for name in ("fsync", "synchronous_commit", "shared_buffers", "max_wal_size")},
            "Kafka": "one broker, replication 1; producers with acks=all and idempotence; log flushed by the system (Kafka's default)",
        },
        "java_options": _java_options(),
    }


def busy_with_others() -> float:
    """Processes that want a processor, averaged over the last minute, before anything of ours runs."""
    return round(os.getloadavg()[0], 2)


def _versions() -> dict[str, str]:
    postgres = _said([str(find_binaries() / "postgres"), "--version"])
    java = _said([find_java(), "-version"])
    kafka = next(iter(sorted(Path(__file__).parents[2].glob(".ansinh/tools/kafka/**/kafka-clients-*.jar"))), None)
    return {
        "Python": platform.python_version(),
        "PostgreSQL": _first(r"(\d+\.\d+)", postgres) or "",
        "Kafka": _first(r"kafka-clients-(.+)\.jar", kafka.name) or "" if kafka else "unknown",
        "Java": _first(r'version "([^"]+)"', java) or "",
        **{name: version(name) for name in LIBRARIES},
    }


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _java_options() -> str:
    text = (Path(__file__).parents[2] / "deploy/local/kafka/broker.py").read_text()
    return " ".join(re.findall(r'"(-X[^"]+)"', text))


def _first(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    return found[1].strip() if found else None
