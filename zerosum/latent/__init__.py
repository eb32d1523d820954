"""Ways through a generator's latent space: where it is, which directions mean something, which point makes an item."""
