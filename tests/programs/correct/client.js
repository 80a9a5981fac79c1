#!/usr/bin/node
// Correct: connects, sends its request, receives until the server has closed, closes.
// client.js HOST PORT [BYTES [TIMES]]: asks for so many bytes, so many times.
"use strict";
const net = require("node:net");

const [host, port, bytes = "100", times = "1"] = process.argv.slice(2);
setTimeout(() => process.exit(142), 1000 * Number(process.env.LIMIT || 20)).unref();

function fetch(left) {
  if (left === 0) return;
  let came = 0;
  const sock = net.connect(Number(port), host, () => sock.write(`GET ${bytes}\n`));
  sock.on("error", (error) => {
    console.error(error.message);
    process.exit(1);
  });
  sock.on("data", (piece) => { came += piece.length; });
  sock.on("close", () => {
    console.log(`${came} of ${bytes} bytes`);
    if (came !== Number(bytes)) process.exit(1);
    fetch(left - 1);
  });
}
fetch(Number(times));
