"""The harness: profile, browser model, requirements, verdicts and reports."""
