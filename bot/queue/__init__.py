"""Work to be done soon, once for each key."""
