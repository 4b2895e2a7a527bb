"""The risk register: what inventory and migration file show, what is common, and what people say of it."""
