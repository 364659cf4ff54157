"""Who is asking: OpenID Connect tokens, API tokens, local accounts, and tokens of the development mode."""
