"""Lives of the core that can end at any step, in virtual time, on servers without sockets."""
