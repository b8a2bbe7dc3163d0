"""Real Kafka and PostgreSQL on this machine, without containers."""

from deploy.local.unavailable import StackUnavailable

__all__ = ["StackUnavailable"]
