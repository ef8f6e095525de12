"""What is known about places: layers in releases, services and their standards, and how files become releases."""
