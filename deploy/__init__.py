"""How Crossfade is run: on one machine, in containers, and watched."""
