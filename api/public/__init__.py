"""The public application: what everybody may see. Holds the reader's password and the look-up keys only."""
