"""What several test modules share: services, small counties, requirements."""
