"""Send and receive queues over time: what the agent wrote down, read and paired. Pure."""
