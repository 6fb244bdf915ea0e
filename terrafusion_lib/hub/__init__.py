"""JupyterHub: authenticator, roles and permissions."""
