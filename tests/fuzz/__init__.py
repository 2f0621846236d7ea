"""Every parser against made-up and mutated input, for some seconds: no error but its own, no input that burns."""
