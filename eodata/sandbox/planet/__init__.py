"""The simulated planet: what is on the ground, as a pure function of place, season and seed."""
