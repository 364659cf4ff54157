"""What the numbers say: pure functions on arrays and columns, with no knowledge of stores, files or HTTP."""
