"""What happened, as events; their order, the patterns they must follow, what they mean. Pure."""
