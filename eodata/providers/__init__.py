"""Transports: how items and pixels come from an archive."""
