"""Contracts and the runtime that every service stands on. Imports no service."""
