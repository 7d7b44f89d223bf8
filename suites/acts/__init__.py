"""Acts and observations that requirements share: what is tried, and how its outcome is read. They judge nothing."""
