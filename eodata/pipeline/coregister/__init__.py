"""How far two images of the same ground lie apart, measured from their pixels. Pure."""
