"""How sure can one be that a sentence is true, and what is left unsaid where one is not sure enough."""
