"""Types and rules without files, network, clock or torch."""
