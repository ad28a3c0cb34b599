"""The torch layer over a store."""
