"""Why an expression is not answered. The server says each of these with status 400."""

from __future__ import annotations


class ExpressionError(Exception):
    """An expression that cannot be evaluated: wrong in itself, or too much.

    Attributes:
        why: One or two sentences for the person who wrote it.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class UnsupportedError(ExpressionError):
    """Something that Earth Engine can do and the sandbox cannot.

    Attributes:
        name: Of the function, e.g. `Image.reduceNeighborhood`.
    """

    def __init__(self, name: str, detail: str = "") -> None:
        super().__init__(
            f"{name} is unsupported by the sandbox" + (f": {detail}" if detail else "")
        )
        self.name = name
