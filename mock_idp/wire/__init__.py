"""What crosses the wire: requests and answers as plain values, and the ASGI edge that reads and writes them."""
