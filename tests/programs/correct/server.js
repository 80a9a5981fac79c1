#!/usr/bin/node
// Correct, on an event loop: each client's request is received, answered, its connection closed.
// server.js HOST PORT [CLIENTS]: ends after so many clients, or by SIGTERM.
"use strict";
const net = require("node:net");

const [host, port, clients = "0"] = process.argv.slice(2);
setTimeout(() => process.exit(142), 1000 * Number(process.env.LIMIT || 60)).unref();

let served = 0;
const server = net.createServer((connection) => {
  served += 1;
  if (served === Number(clients)) server.close();
  let request = "";
  connection.on("error", () => {});
  connection.on("data", (piece) => {
    request += piece;
    if (request.endsWith("\n")) connection.end("x".repeat(Number(request.slice(4))));
  });
});
server.listen(Number(port), host, 5, () => console.log("ready"));
