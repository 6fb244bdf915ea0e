"""From the model to the value on the roll."""
