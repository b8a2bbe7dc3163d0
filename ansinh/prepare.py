"""`python -m ansinh.prepare`: what must exist before services in containers start. Again, it changes nothing.

Databases at their newest migration, topics, expected partitions, sandbox key files, and `run.json`, by which `ansinh --name NAME`
commands find the services.
"""

from __future__ import annotations

import asyncio

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from ansinh.installation import Addresses, home, prepare_stores
from shared.keyfiles import make_key_files
from shared.topics import Service


class Settings(BaseSettings):
    """From the environment, each with `ANSINH_PREPARE_` before it."""

    model_config = SettingsConfigDict(env_prefix="ANSINH_PREPARE_", frozen=True, hide_input_in_errors=True)

    name: str
    kafka_bootstrap: str
    postgres_dsn: SecretStr
    """Address of every database; `{service}` stands for the service's name."""
    port: int
    """Where every service listens, on a host of its own name."""
    replication: int = 1


async def prepare(settings: Settings) -> Addresses:
    """Make everything; where it can be found. Raises what dbmate, Kafka and PostgreSQL say when they do not answer."""
    databases = {str(one): settings.postgres_dsn.get_secret_value().replace("{service}", one) for one in Service}
    folder = home(settings.name)
    for part in ("files", "truth", "lists"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    make_key_files(folder / "keys")
    await prepare_stores(databases, settings.kafka_bootstrap, replication=settings.replication)
    names = [*map(str, Service), "sms"]
    addresses = Addresses(
        str(folder),
        settings.kafka_bootstrap,
        databases,
        ports=dict.fromkeys(names, settings.port),
        hosts={name: name for name in names},
    )
    addresses.write(settings.name)
    return addresses


if __name__ == "__main__":
    asyncio.run(prepare(Settings()))
