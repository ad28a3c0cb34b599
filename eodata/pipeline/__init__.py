"""From recipe and search answers to a plan, and from DN to decoded pixels; pure."""
