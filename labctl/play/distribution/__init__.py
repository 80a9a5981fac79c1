"""One file for many hosts, measured: from a media server against from peer to peer."""
