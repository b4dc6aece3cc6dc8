"""The conformance suite: what every shop must do, whatever it is made of. One file of claims per subject."""
