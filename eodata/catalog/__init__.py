"""Finding datasets and samples, and showing them."""
