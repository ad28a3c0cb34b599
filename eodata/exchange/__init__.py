"""Stores as other people's files: published trees of GeoTIFFs, COGs, tar shards, NumPy arrays."""
