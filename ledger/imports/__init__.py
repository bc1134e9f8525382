"""A sheet of gifts, read and checked before anything of it is entered."""
