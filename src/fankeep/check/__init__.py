"""Auditing an app against the security guide."""
