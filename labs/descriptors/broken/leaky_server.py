"""shared_socket, but for one line: the parent does not close the connection's descriptor.

It never needs it, so nobody misses the line. But as long as one number in one table stands for
the socket, the kernel neither ends the connection nor takes the socket away: the client of a
server like this waits for an end that does not come, and the server runs out of descriptors.
"""

import os
import socket

MOST_REQUEST = 1024


def main() -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("0.0.0.0", 8082))
    server.listen(5)
    kept = []
    while True:
        connection, _ = server.accept()
        child = os.fork()
        if child == 0:
            server.close()
            connection.sendall(connection.recv(MOST_REQUEST))
            connection.close()
            os._exit(0)
        kept.append(connection)  # in the place of connection.close()
        os.waitpid(child, 0)


main()
