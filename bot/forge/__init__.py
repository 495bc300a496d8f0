"""Where projects live and publications appear: GitHub, or a git checkout on this machine."""
