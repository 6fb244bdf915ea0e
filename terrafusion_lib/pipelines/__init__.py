"""The steps of the main job and the Ploomber seam that runs them."""
