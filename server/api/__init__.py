"""The GraphQL and table interfaces, generated from the registry."""
