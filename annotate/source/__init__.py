"""Reading problems and trajectories: files, columns, published layouts, pictures, merging."""
