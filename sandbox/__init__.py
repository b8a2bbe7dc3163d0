"""The outside world for demo and tests: ministry, population register, partners. All data SYNTHETIC."""
