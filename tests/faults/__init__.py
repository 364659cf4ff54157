"""What happens when the network, the server or the application fails."""
