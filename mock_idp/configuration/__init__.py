"""What people write, read into records: configuration files, control requests, dumps. Mistakes are one line."""
