"""Code that runs in Lambda. It imports nothing of Crossfade: this folder is what is deployed."""
