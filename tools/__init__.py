"""What those who release LesionLens run from a checkout; not part of the package."""
