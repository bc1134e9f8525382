"""Questions asked of the tables, in SQL by hand where it is asked often or has to be exact."""
