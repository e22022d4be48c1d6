"""Areas, bureaus, users, roles and scopes: who may see what."""
