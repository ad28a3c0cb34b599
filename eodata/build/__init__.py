"""The conductor: from a recipe to a finished store."""
