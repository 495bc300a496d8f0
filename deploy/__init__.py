"""What runs beside the package: the sample project, and the lab with the real parts to try it on."""
