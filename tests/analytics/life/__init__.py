"""Life data analysis is held to published numbers, other programs and brute force."""
