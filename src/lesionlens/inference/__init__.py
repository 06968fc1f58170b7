"""A bundle on disk, the engines that run it, and the bundles that ship with the package."""
