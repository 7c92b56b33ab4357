"""What explanations look like, and what they rest on."""
