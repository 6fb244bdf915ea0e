"""State profiles: what differs from state to state, one YAML file each."""
