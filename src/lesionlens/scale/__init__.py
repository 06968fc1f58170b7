"""Past one machine: many pictures, or many requests, on a Ray cluster. Needs the `ray` extra."""
