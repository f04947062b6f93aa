"""What `make assignments` and `make grade` do, around nbgrader."""
