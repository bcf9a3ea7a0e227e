"""The frozen encoder, the recipes of adapters, how they are composed, and the zoo that keeps trained ones on disk."""
