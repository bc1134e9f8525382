"""A witness: remembers the newest checkpoint of each log it watches, cosigns what continues it, and nothing else."""
