/* A server and a client in one program, first with streams, then with a selector. */
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;

public class Programs {
    public static void main(String[] arguments) throws Exception {
        InetAddress loopback = InetAddress.getByName("127.0.0.1");
        try (ServerSocket server = new ServerSocket(0, 7, loopback)) {
            Thread client = new Thread(() -> {
                try (Socket socket = new Socket(loopback, server.getLocalPort())) {
                    socket.setSoTimeout(2000);
                    socket.getOutputStream().write("streamed".getBytes());
                    socket.getInputStream().read();
                } catch (Exception problem) {
                    throw new RuntimeException(problem);
                }
            });
            client.start();
            try (Socket socket = server.accept()) {
                socket.setTcpNoDelay(true);
                socket.getInputStream().read(new byte[100]);
                socket.getOutputStream().write(0xff);
            }
            client.join();
        }
        Selector selector = Selector.open();
        ServerSocketChannel listening = ServerSocketChannel.open();
        listening.bind(new InetSocketAddress(loopback, 0));
        listening.configureBlocking(false);
        listening.register(selector, SelectionKey.OP_ACCEPT);
        SocketChannel calling = SocketChannel.open(listening.getLocalAddress());
        selector.select();
        SocketChannel answering = listening.accept();
        calling.write(new ByteBuffer[] {ByteBuffer.wrap("two ".getBytes()), ByteBuffer.wrap("parts".getBytes())});
        answering.read(ByteBuffer.allocate(64));
        calling.shutdownOutput();
        answering.read(ByteBuffer.allocate(64));
        answering.close();
        calling.close();
        new ProcessBuilder("/bin/true").start().waitFor();
        Runtime.getRuntime().halt(5);
    }
}
