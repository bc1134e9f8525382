"""The store: the only place that talks to PostgreSQL; `sequencer` is the only writer of entries."""
