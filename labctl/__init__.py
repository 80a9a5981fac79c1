"""labctl: small internets of containers, brought up, watched and checked."""
