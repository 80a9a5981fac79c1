// A server, a client and a child process in one program.
const net = require("net");
const { spawn } = require("child_process");

const server = net.createServer((socket) => {
  socket.setNoDelay(true);
  socket.on("data", (data) => socket.end(`got ${data.length}`));
});
server.listen(0, () => {
  const client = net.connect(server.address().port, "127.0.0.1", () => client.write("é".repeat(40)));
  client.on("data", () => {});
  client.on("close", () => {
    server.close();
    const refused = net.connect(1, "127.0.0.1");
    refused.on("error", () => {
      spawn("/bin/sh", ["-c", "kill -TERM $$"]).on("exit", () => process.exit(9));
    });
  });
});
