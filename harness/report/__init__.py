"""Reports: one canonical document of a run, and what people and machines read, each a pure function of it."""
