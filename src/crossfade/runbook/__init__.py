"""The whole judgement, without input or output: which phase comes next, what is wanted, and when to turn back."""
