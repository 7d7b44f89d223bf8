"""What the application answers, by topic."""
