"""The auditor's replay: written from the specification, without the code that decides."""
