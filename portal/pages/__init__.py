"""The pages of sellers and shopping platforms, one file per subject."""
