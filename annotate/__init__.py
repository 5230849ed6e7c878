"""From trajectories to validated visual annotations."""
