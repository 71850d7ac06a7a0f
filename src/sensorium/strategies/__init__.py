"""ONE FILE PER STRATEGY: how the models of a fit are trained and the one to keep is chosen."""
