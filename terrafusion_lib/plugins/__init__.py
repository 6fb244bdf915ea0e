"""Pure engines behind one interface; none imports another."""
