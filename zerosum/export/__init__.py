"""Ways out of the house: a trained generator as a file that other programs run."""
