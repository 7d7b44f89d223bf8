"""Starting and stopping the provider: in the foreground, in a thread, in a process; plain or over TLS."""
