"""Code that runs in Lambda: a package a function, deployed alone. It imports nothing of Crossfade."""
