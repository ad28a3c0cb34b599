"""The dataset on disk: Zarr arrays, tables, ledger, verification."""
