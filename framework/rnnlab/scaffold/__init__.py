"""New plugins: a package that can be installed, or a single file, with its test."""
