"""Evidence: what went over the wire, masked before it is stored."""
